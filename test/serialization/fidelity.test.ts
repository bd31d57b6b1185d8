import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import { roundTrip, roundTripInline } from './internals.js';

class Amount extends Number {}
class Names extends Map<string, string> {
  readonly owner = 'none';
}
class Stack extends Array<number> {
  readonly limit = 3;
}
class Day extends Date {}
class Samples extends Float32Array {}

function knot(): unknown {
  const map = new Map<unknown, unknown>();
  const set = new Set<unknown>([map]);
  map.set(map, set).set(set, [map, set]);
  return { map, set };
}

function lengthTracking(): Uint8Array {
  const Resizable = ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer;
  return new Uint8Array(new Resizable(8, { maxByteLength: 64 })).fill(5);
}

const values: readonly (readonly [name: string, value: unknown])[] = [
  ['primitives', [undefined, null, true, 0, -0, NaN, -Infinity, 1e300, 2n ** 70n, '', '\ud800']],
  ['undefined, apart from a missing key', { there: undefined }],
  ['undefined, apart from a hole', [undefined, , undefined]], // eslint-disable-line no-sparse-arrays
  ['an array of holes only', new Array(3)],
  ['boxed primitives', [Object(1), Object(-0), Object('s'), Object(false), Object(1n)]],
  ['a boxed primitive of a subclass', new Amount(7)],
  ['dates', [new Date(0), new Date(-1), new Date(8.64e15)]],
  ['a date of a subclass', new Day(5)],
  ['regular expressions', [/a/, /[/\n]\u{1f600}/dgimsuy, new RegExp('')]],
  ['a map of a subclass with fields', new Names([['a', 'b']])],
  ['an array of a subclass with fields', Stack.of(1, 2)],
  ['maps and sets that hold each other and themselves', knot()],
  [
    'keys that are NaN, -0 and objects',
    new Map<unknown, unknown>([
      [NaN, 1],
      [-0, 2],
      [{}, 3],
    ]),
  ],
  ['empty containers', [{}, [], new Map(), new Set(), new Uint8Array(0), new ArrayBuffer(0)]],
  ['a typed array of a subclass', new Samples([1.5, NaN, -0])],
  ['bigint arrays', [new BigInt64Array([-(2n ** 63n)]), new BigUint64Array([2n ** 64n - 1n])]],
  ['long bigint arrays', { a: new BigInt64Array(100).fill(-1n) }],
  ['a view that tracks the length of its buffer', [...lengthTracking()]],
  ['a frozen object', Object.freeze({ a: Object.freeze([1]) })],
  ['an object with integer-like keys', { 2: 'b', 1: 'a', '-1': 'c', '01': 'd' }],
  ['an object with accessors', Object.defineProperty({}, 'a', { get: () => 1, enumerable: true })],
  ['an error whose cause is undefined', new Error('e', { cause: undefined })],
];

for (const [name, value] of values) {
  test(`as structured clone has it: ${name}`, (t) => {
    const expected: unknown = structuredClone(value);
    for (const copy of [roundTrip(value), roundTripInline(value)]) {
      t.true(isDeepStrictEqual(copy, expected), name);
      t.deepEqual(Object.getPrototypeOf(copy), Object.getPrototypeOf(expected));
    }
  });
}
