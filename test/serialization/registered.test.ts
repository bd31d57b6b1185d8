import test from 'ava';
import { Codec, record, Registry, roundTrip, roundTripInline } from './internals.js';

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

function start(): { codec: Codec; registry: Registry } {
  const registry = new Registry();
  return { codec: new Codec({}, registry), registry };
}

test('a registered subclass of a typed array keeps its class, large or small', (t) => {
  class Samples extends Float64Array {}
  const { codec, registry } = start();
  registry.add(Samples, {
    name: 'Samples',
    encode: (samples) => new Float64Array(samples),
    decode: (data) => new Samples(data),
  });
  t.true(roundTrip(new Samples(4), codec) instanceof Samples);
  t.true(roundTrip(new Samples(4000), codec) instanceof Samples);
});

test('instances of a registered class keep their class and their identity', (t) => {
  const { codec, registry } = start();
  registry.add(Money, money);
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
  const { codec, registry } = start();
  registry.add(Money, money);
  registry.add(Column, {
    name: 'Column',
    encode: ({ values }) => ({ values, unit: new Money(1) }),
    decode: ({ values }) => new Column(values),
  });
  const copy = roundTrip(new Column(new Float64Array(500).fill(2)), codec);
  t.true(copy instanceof Column);
  t.true(copy.values.buffer instanceof SharedArrayBuffer);
});

test('the encoded form may hold cycles and what the value holds elsewhere', (t) => {
  class Graph {
    readonly root: object;
    constructor(root: object) {
      this.root = root;
    }
  }
  const { codec, registry } = start();
  registry.add(Graph, {
    name: 'Graph',
    encode: ({ root }) => root,
    decode: (data) => new Graph(data),
  });
  const root: Record<string, unknown> = {};
  root.self = root;
  const copy = roundTripInline({ graph: new Graph(root), root }, codec);
  t.is(Reflect.get(copy.graph.root, 'self'), copy.graph.root);
  t.is<object, object>(copy.root, copy.graph.root);
});

test('a registered error comes back through its serializer', (t) => {
  class Failure extends Error {}
  const { codec, registry } = start();
  registry.add(Failure, {
    name: 'Failure',
    encode: (failure) => failure.message,
    decode: (message) => new Failure(`again: ${message}`),
  });
  t.is(roundTrip(new Failure('x'), codec).message, 'again: x');
});

test('an instance of a subclass that is not registered itself is a plain object', (t) => {
  class Price extends Money {
    readonly currency = 'EUR';
  }
  const { codec, registry } = start();
  registry.add(Money, money);
  const copy: object = roundTripInline(new Price(1), codec);
  t.is(Object.getPrototypeOf(copy), Object.prototype);
  t.deepEqual(copy, { currency: 'EUR' });
});

test('a name or a class registered twice is a TypeError', (t) => {
  const { registry } = start();
  registry.add(Money, money);
  const other = { name: 'Money', encode: () => 0, decode: () => new Date() };
  t.throws(() => registry.add(Date, other), { instanceOf: TypeError, message: /'Money' is taken/ });
  t.throws(() => registry.add(Money, { ...money, name: 'Other' }), {
    instanceOf: TypeError,
    message: /'Other' is registered already, as 'Money'/,
  });
  t.is(registry.byName('Other'), undefined);
});

test('the same class under the same name may be registered again', (t) => {
  const { codec, registry } = start();
  registry.add(Money, money);
  registry.add(Money, { ...money, decode: () => new Money(7) });
  t.is(roundTrip(new Money(1), codec).cents, 7);
});

test('an instance of a class that is not registered here says how to register it', (t) => {
  const { codec, registry } = start();
  registry.add(Money, money);
  t.throws(() => new Codec().decode(record(codec, [new Money(1)])), {
    name: 'SerializationError',
    message: /'Money', which is not registered here: call register\(/,
  });
});

test('a registered object inside its own encoded form is refused', (t) => {
  class Loop {
    self = this;
  }
  const { codec, registry } = start();
  registry.add(Loop, { name: 'Loop', encode: (loop) => [loop.self], decode: () => new Loop() });
  t.throws(() => codec.encode(new Loop()), { name: 'SerializationError', message: /cycle/ });
});

test('user code may use the codec while a value passes through it', (t) => {
  const { codec, registry } = start();
  registry.add(Money, {
    name: 'Money',
    encode: (value) => record(codec, { cents: value.cents }),
    decode: (data) => new Money((codec.decode(data) as { cents: number }).cents),
  });
  const copy = roundTripInline([{ before: 1 }, new Money(9), { after: 2 }], codec);
  t.deepEqual([copy[0], copy[2]], [{ before: 1 }, { after: 2 }]);
  t.is((copy[1] as Money).cents, 9);
});

test('a serializer that throws is a SerializationError with path, name and cause', (t) => {
  const cause = new Error('mine');
  const fail = (): never => {
    throw cause;
  };
  const { codec, registry } = start();
  registry.add(Money, { ...money, encode: fail });
  const encoding = t.throws(() => codec.encode({ prices: [new Money(1)] }));
  t.is(encoding.name, 'SerializationError');
  t.is(encoding.message, "value.prices[0] is an instance of 'Money' whose encode() threw: mine");
  t.is(encoding.cause, cause);

  const { codec: writing, registry: good } = start();
  good.add(Money, money);
  registry.add(Money, { ...money, decode: fail });
  const decoding = t.throws(() => codec.decode(record(writing, new Money(1))));
  t.is(decoding.name, 'SerializationError');
  t.regex(decoding.message, /'Money' whose decode\(\) threw: mine/);
  t.is(decoding.cause, cause);
});

test('what cannot be cloned in an encoded form is named by its path', (t) => {
  const { codec, registry } = start();
  registry.add(Money, { ...money, encode: () => ({ format: () => '' }) });
  t.throws(() => codec.encode([new Money(1)]), { message: 'value[0].format is a function' });
});
