import test from 'ava';
import { Codec, record, roundTrip, roundTripInline } from './internals.js';

class Ref {
  readonly id: string;
  constructor(id: string) {
    this.id = id;
  }
}

const references = {
  isReference: (value: object) => value instanceof Ref,
  encode: (value: object) => Buffer.from((value as Ref).id),
  decode: (bytes: Uint8Array) => new Ref(Buffer.from(bytes).toString()),
};

class Money {
  readonly #cents: number;
  constructor(cents: number) {
    this.#cents = cents;
  }
  get cents(): number {
    return this.#cents;
  }
}

const money = {
  name: 'Money',
  encode: (value: Money): unknown => value.cents,
  decode: (data: unknown) => new Money(data as number),
};

test('references at any depth come back through the hook', (t) => {
  const codec = new Codec({ references });
  const copy = roundTripInline({ a: [new Ref('1')], b: new Map([['k', new Ref('2')]]) }, codec);
  t.true(copy.a[0] instanceof Ref);
  t.is(copy.a[0]?.id, '1');
  t.is(copy.b.get('k')?.id, '2');
});

test('references are reported once each, in the order met', (t) => {
  const codec = new Codec({ references });
  const [a, b] = [new Ref('a'), new Ref('b')];
  t.deepEqual(codec.encode([b, a, { again: b }]).references, [b, a]);
  codec.encodeInto([a], new Uint8Array(100), 0);
  t.deepEqual(codec.takeReferences(), [a]);
  codec.encodeInto([1], new Uint8Array(100), 0);
  t.deepEqual(codec.takeReferences(), []);
});

test('references of a value written in place are given once', (t) => {
  const codec = new Codec({ references });
  codec.encodeInto([new Ref('a')], new Uint8Array(100), 0);
  t.is(codec.takeReferences().length, 1);
  t.is(codec.takeReferences().length, 0);
});

test('a registered subclass of a typed array keeps its class, large or small', (t) => {
  class Samples extends Float64Array {}
  const codec = new Codec();
  codec.register(Samples, {
    name: 'Samples',
    encode: (samples) => new Float64Array(samples),
    decode: (data) => new Samples(data as Float64Array),
  });
  t.true(roundTrip(new Samples(4), codec) instanceof Samples);
  t.true(roundTrip(new Samples(4000), codec) instanceof Samples);
});

test('one reference met twice comes back as one', (t) => {
  const ref = new Ref('r');
  const copy = roundTrip([ref, ref], new Codec({ references }));
  t.is(copy[0], copy[1]);
});

test('instances of a registered class keep their class', (t) => {
  const codec = new Codec();
  codec.register(Money, money);
  const shared = new Money(5);
  const copy = roundTripInline({ first: shared, list: [shared, new Money(6)] }, codec);
  t.true(copy.first instanceof Money);
  t.is(copy.first.cents, 5);
  t.is(copy.list[0], copy.first);
  t.is(copy.list[1]?.cents, 6);
});

test('a registered class may stand for anything that can be encoded', (t) => {
  class Column {
    readonly values: Float64Array;
    constructor(values: Float64Array) {
      this.values = values;
    }
  }
  const codec = new Codec();
  codec.register(Money, money);
  codec.register(Column, {
    name: 'Column',
    encode: ({ values }) => ({ values, unit: new Money(1) }),
    decode: (data) => new Column((data as Column).values),
  });
  const copy = roundTrip(new Column(new Float64Array(500).fill(2)), codec);
  t.true(copy instanceof Column);
  t.true(copy.values.buffer instanceof SharedArrayBuffer);
});

test('a registered error comes back through its serializer', (t) => {
  class Failure extends Error {}
  const codec = new Codec();
  codec.register(Failure, {
    name: 'Failure',
    encode: (failure) => failure.message,
    decode: (data) => new Failure(`again: ${data as string}`),
  });
  t.is(roundTrip(new Failure('x'), codec).message, 'again: x');
});

test('a name or a class registered twice is a TypeError', (t) => {
  const codec = new Codec();
  codec.register(Money, money);
  t.throws(
    () => {
      codec.register(Ref, { name: 'Money', encode: () => 0, decode: () => new Ref('') });
    },
    {
      instanceOf: TypeError,
      message: /'Money' is taken/,
    },
  );
  t.throws(
    () => {
      codec.register(Money, { ...money, name: 'Other' });
    },
    { instanceOf: TypeError },
  );
});

test('an instance of a class that is not registered here says how to register it', (t) => {
  const codec = new Codec();
  codec.register(Money, money);
  t.throws(() => new Codec().decode(record(codec, [new Money(1)])), {
    name: 'SerializationError',
    message: /'Money', which is not registered here: call register\(/,
  });
});

test('a registered object inside its own encoded form is refused', (t) => {
  class Loop {
    self = this;
  }
  const codec = new Codec();
  codec.register(Loop, { name: 'Loop', encode: (loop) => [loop.self], decode: () => new Loop() });
  t.throws(() => codec.encode(new Loop()), { name: 'SerializationError', message: /cycle/ });
});

test('user code may use the codec while a value passes through it', (t) => {
  const codec = new Codec();
  codec.register(Money, {
    name: 'Money',
    encode: (value) => record(codec, { cents: value.cents }),
    decode: (data) => new Money((codec.decode(data as Uint8Array) as { cents: number }).cents),
  });
  const copy = roundTripInline([{ before: 1 }, new Money(9), { after: 2 }], codec);
  t.deepEqual([copy[0], copy[2]], [{ before: 1 }, { after: 2 }]);
  t.is((copy[1] as Money).cents, 9);
});

test('what a serializer throws passes through unchanged', (t) => {
  const thrown = new Error('mine');
  const fail = (): never => {
    throw thrown;
  };
  const codec = new Codec();
  codec.register(Money, { ...money, encode: fail });
  t.is(
    t.throws(() => codec.encode([new Money(1)])),
    thrown,
  );
  const reading = new Codec();
  reading.register(Money, { ...money, decode: fail });
  const writing = new Codec();
  writing.register(Money, money);
  t.is(
    t.throws(() => reading.decode(record(writing, new Money(1)))),
    thrown,
  );
});

test('a value that does not fit in place comes back encoded, wherever the room ends', (t) => {
  const codec = new Codec({ references });
  const value = {
    list: [1, 2.5, 'text', -70_000, null],
    ref: new Ref('r'),
    more: new Map([[1, 'x']]),
  };
  const { size } = codec.encode(value);
  for (let room = 0; room <= size + 16; room++) {
    const target = new Uint8Array(room);
    const written = codec.encodeInto(value, target, 0);
    if (typeof written === 'number') {
      t.is(written, size);
      t.deepEqual(codec.decodeAt(target, 0, written), value);
      continue;
    }
    const bytes = new Uint8Array(written.size);
    written.write(bytes, 0);
    t.deepEqual(codec.decode(bytes), value);
    t.deepEqual(written.references, [value.ref]);
  }
});

test('small binary data go in place, large ones never', (t) => {
  const codec = new Codec();
  const target = new Uint8Array(10_000);
  t.is(typeof codec.encodeInto({ bytes: new Uint8Array(1023) }, target, 0), 'number');
  for (const large of [{ bytes: new Uint8Array(1024) }, new Uint8Array(1024)]) {
    const written = codec.encodeInto(large, target, 0);
    t.true(typeof written === 'object' && written.outOfBand);
  }
});

test('a list goes in place like the array it is', (t) => {
  const codec = new Codec({ references });
  const target = new Uint8Array(1000);
  const ref = new Ref('r');
  const shared = { a: 1 };
  const items = [1, shared, ref, shared, undefined];
  const written = codec.encodeListInto(items, target, 3) as number;
  t.deepEqual(codec.takeReferences(), [ref]);
  t.deepEqual(codec.decodeAt(target, 3, 3 + written), items);
  t.is(written, codec.encode(items).size);
  t.is(typeof codec.encodeListInto([new Uint8Array(5000)], target, 0), 'object');
});
