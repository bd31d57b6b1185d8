import test from 'ava';
import { Codec, roundTrip, roundTripInline } from './internals.js';

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

test('one reference met twice comes back as one', (t) => {
  const ref = new Ref('r');
  const copy = roundTrip([ref, ref], new Codec({ references }));
  t.is(copy[0], copy[1]);
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
  const written = codec.encodeArgumentsInto(items, 0, target, 3) as number;
  t.deepEqual(codec.takeReferences(), [ref]);
  t.deepEqual(codec.decodeAt(target, 3, 3 + written), items);
  t.is(written, codec.encode(items).size);
  t.is(typeof codec.encodeArgumentsInto([new Uint8Array(5000)], 0, target, 0), 'object');
});
