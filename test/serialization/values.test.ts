import test from 'ava';
import { roundTrip, roundTripInline } from './internals.js';

const scalars: readonly (readonly [name: string, value: unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['true', true],
  ['false', false],
  ['zero', 0],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
  ['a fraction', 0.1],
  ['the smallest number', Number.MIN_VALUE],
  ['an empty string', ''],
  ['a string of 31 characters', 'a'.repeat(31)],
  ['a string of 32 characters', 'a'.repeat(32)],
  ['a string of 300 characters', 'ab'.repeat(150)],
  ['a string of a megabyte', 'xyz\u{1f600}'.repeat(200_000)],
  ['a string beyond ASCII', 'Grüße, \u4f60\u597d, \u{1f600}'],
  ['a string with NUL', 'a\0b'],
  ['a lone high surrogate', 'a\ud800b'],
  ['a lone low surrogate in a long string', `${'x'.repeat(1000)}\udc00`],
];

for (const [name, value] of scalars) {
  test(`${name} comes back as it was`, (t) => {
    t.is(roundTrip(value), value);
  });
}

test('-0 keeps its sign', (t) => {
  t.is(roundTrip(-0), -0);
  t.deepEqual(roundTripInline([-0, 0]), [-0, 0]);
});

test('every integer size up to 2^53 is exact', (t) => {
  for (let bits = 0; bits <= 53; bits++) {
    for (const delta of [-1, 0, 1]) {
      const value = Math.min(2 ** bits + delta, Number.MAX_SAFE_INTEGER);
      t.is(roundTripInline(value), value);
      t.is(roundTripInline(-value), -value);
    }
  }
});

test('bigints of any size and sign are exact', (t) => {
  for (let bits = 0n; bits <= 200n; bits++) {
    for (const value of [(1n << bits) - 1n, 1n << bits, -(1n << bits), -(1n << bits) - 1n]) {
      t.is(roundTripInline(value), value);
    }
  }
  const large = 7n ** 100_000n;
  t.is(roundTrip(large), large);
  t.is(roundTrip(-large), -large);
});

test('a date keeps its time and an invalid date stays invalid', (t) => {
  const [date, invalid] = roundTripInline([new Date(1_700_000_000_123), new Date(NaN)]);
  t.true(date instanceof Date);
  t.is(date.getTime(), 1_700_000_000_123);
  t.true(Number.isNaN(invalid.getTime()));
});

test('a regular expression keeps source and flags and starts at lastIndex 0', (t) => {
  const expression = /a\/[\n"]+/giu;
  expression.lastIndex = 3;
  const copy = roundTripInline(expression);
  t.is(copy.source, expression.source);
  t.is(copy.flags, 'giu');
  t.is(copy.lastIndex, 0);
});

test('maps and sets keep the order and the types of what they hold', (t) => {
  const value = {
    map: new Map<unknown, unknown>([
      [1, 'one'],
      ['1', new Map()],
      [{ key: true }, undefined],
    ]),
    set: new Set([NaN, 'a', 3n]),
  };
  t.deepEqual(roundTripInline(value), value);
});

test('boxed primitives stay boxed', (t) => {
  const boxed = [Object(1), Object('text'), Object(false), Object(2n)] as object[];
  for (const value of boxed) {
    const copy = roundTripInline(value);
    t.is(typeof copy, 'object');
    t.is(copy.constructor, value.constructor);
    t.is(copy.valueOf(), value.valueOf());
  }
});

test('holes in arrays stay holes, apart from undefined', (t) => {
  // eslint-disable-next-line no-sparse-arrays
  for (const short of [[1, , undefined, 4], [,], [, 1]]) {
    const copy = roundTripInline(short);
    t.deepEqual(Object.keys(copy), Object.keys(short));
    t.is(copy.length, short.length);
  }
  const long = Array.from({ length: 5000 }, (_, i): unknown => i);
  Reflect.deleteProperty(long, 2500);
  Reflect.deleteProperty(long, 4999);
  long[17] = undefined;
  t.deepEqual(Object.keys(roundTrip(long)), Object.keys(long));
  t.is(roundTrip(long).length, 5000);
});

test('an array of four billion holes costs no memory', (t) => {
  const sparse: unknown[] = [];
  sparse[4_294_967_290] = 'last';
  sparse[7] = 'early';
  const copy = roundTripInline(sparse);
  t.is(copy.length, 4_294_967_291);
  t.deepEqual(Object.keys(copy), ['7', '4294967290']);
});

test('extra properties of short and long arrays are kept', (t) => {
  const match = /b(?<rest>.*)/.exec('abc');
  const copy = roundTripInline(match);
  t.is(copy?.index, 1);
  t.is(copy?.input, 'abc');
  t.is(copy?.groups?.rest, 'c');
  const long = Object.assign(
    Array.from({ length: 500 }, (_, i) => i),
    { unit: 'ms' },
  );
  t.is(roundTrip(long).unit, 'ms');
  t.is(roundTrip(long).length, 500);
});

test('objects without a prototype come back as plain objects', (t) => {
  const bare = Object.assign(Object.create(null) as object, { a: 1 });
  const copy = roundTripInline(bare);
  t.is(Object.getPrototypeOf(copy), Object.prototype);
  t.deepEqual(copy, { a: 1 });
});

test('class instances come back as plain objects with their own fields', (t) => {
  class Point {
    readonly x = 1;
    get double(): number {
      return this.x * 2;
    }
    toJSON(): string {
      return 'never asked';
    }
  }
  const copy = roundTripInline<object>(new Point());
  t.is(Object.getPrototypeOf(copy), Object.prototype);
  t.deepEqual(copy, { x: 1 });
});

test('symbol keys and hidden properties are left out', (t) => {
  const value = { seen: 1, [Symbol('unseen')]: 2 };
  Object.defineProperty(value, 'hidden', { value: 3, enumerable: false });
  t.deepEqual(Reflect.ownKeys(roundTripInline(value)), ['seen']);
});

test('a getter is read exactly once, even when the value outgrows its place', (t) => {
  let reads = 0;
  const value = {
    padding: 'x'.repeat(100),
    get count() {
      return ++reads;
    },
  };
  t.deepEqual(roundTripInline<object>(value), { padding: value.padding, count: 1 });
  t.is((roundTrip(value) as { count: number }).count, 2);
});

test('keys that mean something to JavaScript stay data', (t) => {
  const keys = [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'length',
    '',
  ];
  const value = {};
  for (const key of keys) {
    Object.defineProperty(value, key, { value: { polluted: key }, enumerable: true });
  }
  const copy = roundTripInline(value);
  t.deepEqual(Object.keys(copy), keys);
  t.is(Object.getPrototypeOf(copy), Object.prototype);
  for (const key of keys) {
    t.deepEqual(Object.getOwnPropertyDescriptor(copy, key)?.value, { polluted: key });
  }
  t.false('polluted' in {});
});

test('keys with lone surrogates or beyond ASCII are exact', (t) => {
  const value = { '\ud800': 1, ключ: 2, ['k'.repeat(300)]: 3 };
  t.deepEqual(roundTripInline(value), value);
});

test('an object met twice stays one object', (t) => {
  const shared = { a: 1 };
  const copy = roundTripInline({
    first: shared,
    second: [shared],
    third: new Map([[shared, shared]]),
  });
  t.is<unknown, unknown>(copy.first, copy.second[0]);
  t.deepEqual([...copy.third], [[copy.first, copy.first]]);
  t.is(copy.third.get(copy.first), copy.first);
});

test('equal but different objects stay different', (t) => {
  const copy = roundTripInline([{ a: 1 }, { a: 1 }]);
  t.not(copy[0], copy[1]);
});

test('identity is kept among many objects of every kind', (t) => {
  const one = [
    {},
    [],
    new Map(),
    new Set(),
    new Date(0),
    /x/,
    Object(1) as object,
    new Error('e'),
    new Uint8Array(3),
    Object.assign([1], { extra: 1 }),
    ...Array.from({ length: 40 }, (_, i) => ({ i })),
  ];
  const copy = roundTripInline([one, [...one].reverse()]);
  t.is(copy[0]?.length, one.length);
  t.true(copy[0]?.every((item, i) => item === copy[1]?.at(-1 - i)));
  t.is(new Set(copy[0]).size, one.length);
});

test('cycles through objects, arrays, maps, sets and errors are kept', (t) => {
  const root: Record<string, unknown> = {};
  const error = new Error('loop', { cause: root });
  root.self = root;
  root.array = [root];
  root.map = new Map([[root, root]]);
  root.set = new Set([root]);
  root.error = error;
  const copy = roundTripInline(root);
  t.is(copy.self, copy);
  t.is((copy.array as unknown[])[0], copy);
  t.is((copy.map as Map<unknown, unknown>).get(copy), copy);
  t.true((copy.set as Set<unknown>).has(copy));
  t.is((copy.error as Error).cause, copy);
});

test('wide objects, long arrays and large maps come back whole', (t) => {
  const wide = Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`key${String(i)}`, i]));
  const long = Array.from({ length: 70_000 }, (_, i) => i * 1.5);
  const map = new Map(long.map((x) => [x, String(x)]));
  t.deepEqual(roundTrip({ wide, long, map }), { wide, long, map });
});

test('random values equal what structured clone makes of them', (t) => {
  let state = 12_345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const pool: unknown[] = [];
  const make = (depth: number): unknown => {
    const kind = random(depth > 4 ? 8 : 14);
    const items = () => Array.from({ length: random(5) }, () => make(depth + 1));
    switch (kind) {
      case 0:
        return random(1000) - 500;
      case 1:
        return (random(1 << 20) - 500) * 1e-3 * 2 ** random(60);
      case 2:
        return 'aé\u{1f600}z\ud800'.slice(random(6)).repeat(random(20));
      case 3:
        return [true, false, null, undefined, -0, NaN][random(6)];
      case 4:
        return BigInt(random(1 << 20)) ** BigInt(random(10)) * (random(2) === 0 ? 1n : -1n);
      case 5:
        return new Date(random(1 << 20) * 1e5);
      case 6:
        return new Uint16Array(random(1200)).fill(random(60_000));
      case 7:
        return pool.length === 0 ? null : pool[random(pool.length)];
      case 8:
        return new Map(items().map((item) => [make(depth + 1), item]));
      case 9:
        return new Set(items());
      default: {
        const made =
          kind < 12
            ? items()
            : Object.fromEntries(items().map((item, i) => [`k${String(i)}`, item]));
        pool.push(made);
        return made;
      }
    }
  };
  for (let i = 0; i < 500; i++) {
    const value = make(0);
    t.deepEqual(roundTrip(value), structuredClone(value));
  }
});

test('an array with as many other keys as holes keeps both', (t) => {
  // eslint-disable-next-line no-sparse-arrays
  const copy = roundTripInline(Object.assign([1, , 3], { unit: 'ms' }));
  t.deepEqual(Object.keys(copy), ['0', '2', 'unit']);
  t.is(copy.length, 3);
});

test('an object that only has the prototype of a built-in is a plain object', (t) => {
  for (const { prototype } of [Map, Set, Date, RegExp, Uint8Array, Number, ArrayBuffer]) {
    const fake = Object.assign(Object.create(prototype) as object, { a: 1 });
    t.deepEqual(roundTripInline(fake), { a: 1 });
  }
});
