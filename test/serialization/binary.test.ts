import test from 'ava';
import { Codec, record, roundTrip, roundTripInline } from './internals.js';

const classes = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
] as const;

test('a small typed array of every class comes back as a private copy', (t) => {
  for (const arrayClass of classes) {
    const array = new arrayClass([1, 2, 3]);
    const copy = roundTrip({ array }).array;
    t.is(copy.constructor, arrayClass);
    t.deepEqual(copy, array);
    t.true(copy.buffer instanceof ArrayBuffer);
    t.deepEqual(roundTripInline(array), array);
  }
  t.deepEqual(roundTrip(new BigInt64Array([-1n])), new BigInt64Array([-1n]));
  t.deepEqual(roundTrip(new BigUint64Array([1n])), new BigUint64Array([1n]));
});

test('a typed array of every class that this Node has keeps its class', (t) => {
  const isArrayName = /^(?:Int|Uint|Float|BigInt|BigUint)\d+(?:Clamped)?Array$/;
  const names = Object.getOwnPropertyNames(globalThis).filter((name) => isArrayName.test(name));
  t.true(names.length >= 11);
  for (const name of names) {
    const type = Reflect.get(globalThis, name) as new (length: number) => Uint8Array;
    for (const length of [0, 3, 2000]) {
      t.deepEqual(roundTrip(new type(length)), new type(length));
      t.is(roundTrip({ array: new type(length) }).array.constructor, type);
    }
  }
});

test('a large typed array alone is a zero-copy view at a 64-byte boundary', (t) => {
  for (const arrayClass of classes) {
    const array = new arrayClass(1024).fill(7);
    const bytes = record(new Codec(), array);
    const copy = new Codec().decode(bytes) as typeof array;
    t.is(copy.constructor, arrayClass);
    t.is(bytes.buffer, copy.buffer);
    t.is(copy.byteOffset % 64, 0);
    t.deepEqual([...copy], [...array]);
  }
});

test('large arrays inside a value are zero-copy views at 64-byte boundaries', (t) => {
  const value = {
    a: new Float64Array(128).fill(1.5),
    small: new Uint8Array(9),
    b: new Int32Array(256),
  };
  const bytes = record(new Codec(), value);
  const copy = new Codec().decode(bytes) as typeof value;
  for (const array of [copy.a, copy.b]) {
    t.is(bytes.buffer, array.buffer);
    t.is(array.byteOffset % 64, 0);
  }
  t.not(copy.small.buffer, bytes.buffer);
  t.deepEqual([...copy.a], [...value.a]);
});

test('1023 bytes are copied and 1024 are not', (t) => {
  const value = [new Uint8Array(1023), new Uint8Array(1024)];
  const codec = new Codec();
  const bytes = record(codec, value);
  const copy = codec.decode(bytes) as typeof value;
  t.not(copy[0]?.buffer, bytes.buffer);
  t.is<unknown, unknown>(copy[1]?.buffer, bytes.buffer);
  t.false(codec.encode(value[0]).outOfBand);
  t.true(codec.encode(value[1]).outOfBand);
});

test('Buffers come back as Buffers, private or on shared memory', (t) => {
  const [small, large] = roundTrip([Buffer.from('small'), Buffer.alloc(2000, 'x')]);
  t.true(Buffer.isBuffer(small) && Buffer.isBuffer(large));
  t.is(small.toString(), 'small');
  t.true(large.buffer instanceof SharedArrayBuffer);
  t.true(Buffer.isBuffer(roundTrip(Buffer.alloc(2000))));
  t.true(Buffer.isBuffer(roundTripInline(Buffer.from('small'))));
});

test('a Buffer from the pool carries its own bytes only', (t) => {
  const encoded = new Codec().encode([Buffer.from('a'), Buffer.from('b')]);
  t.true(encoded.size < 200);
});

test('a DataView keeps its range', (t) => {
  const view = new DataView(new ArrayBuffer(64), 8, 16);
  view.setFloat64(0, Math.PI);
  const copy = roundTrip(view);
  t.true(copy instanceof DataView);
  t.is(copy.byteLength, 16);
  t.is(copy.getFloat64(0), Math.PI);
  t.is(roundTrip(new DataView(new ArrayBuffer(4096), 5)).byteLength, 4091);
});

test('a small ArrayBuffer comes back as an ArrayBuffer', (t) => {
  const buffer = new Uint8Array([1, 2, 3]).buffer;
  t.deepEqual(roundTrip(buffer), buffer);
  t.deepEqual(roundTripInline({ buffer }), { buffer });
});

test('a large ArrayBuffer comes back as a zero-copy view on its bytes', (t) => {
  const buffer = new Uint8Array(5000).fill(3).buffer;
  for (const copy of [roundTrip<unknown>(buffer), roundTrip<{ b: unknown }>({ b: buffer }).b]) {
    t.true(copy instanceof Uint8Array && copy.buffer instanceof SharedArrayBuffer);
    t.deepEqual(new Uint8Array(copy as Uint8Array), new Uint8Array(buffer));
  }
});

test('a SharedArrayBuffer comes back as a SharedArrayBuffer of its own', (t) => {
  for (const length of [8, 5000]) {
    const buffer = new SharedArrayBuffer(length);
    new Uint8Array(buffer).fill(9);
    for (const copy of [roundTrip(buffer), roundTrip([buffer])[0]]) {
      t.true(copy instanceof SharedArrayBuffer);
      t.deepEqual(new Uint8Array(copy!), new Uint8Array(buffer));
    }
  }
});

test('views that overlap see the same bytes again', (t) => {
  for (const length of [64, 4096]) {
    const buffer = new ArrayBuffer(length);
    const value = {
      odd: new Uint8Array(buffer, 3, length - 8),
      doubles: new Float64Array(buffer, 8, 4),
    };
    const codec = new Codec();
    const bytes = new Uint8Array(new ArrayBuffer(codec.encode(value).size));
    codec.encode(value).write(bytes, 0);
    const copy = codec.decode(bytes) as typeof value;
    copy.doubles[0] = 1.25;
    t.is(new DataView(copy.odd.buffer, copy.odd.byteOffset + 5).getFloat64(0, true), 1.25);
    t.is(copy.odd.length, length - 8);
  }
});

test('an ArrayBuffer and the views on it stay together', (t) => {
  const buffer = new ArrayBuffer(32);
  const copy = roundTrip({ buffer, view: new Int32Array(buffer, 4, 3) });
  t.is(copy.view.buffer, copy.buffer);
  t.is(copy.view.byteOffset, 4);
});

test('bytes shown by several views are laid out once', (t) => {
  const buffer = new ArrayBuffer(100_000);
  const views = Array.from({ length: 10 }, () => new Uint8Array(buffer));
  t.true(new Codec().encode(views).size < 102_000);
});

test('the same typed array twice stays one typed array', (t) => {
  const array = new Float64Array(1000);
  const copy = roundTrip([array, array]);
  t.is(copy[0], copy[1]);
});

test('a resizable buffer travels with its present contents', (t) => {
  const ResizableArrayBuffer = ArrayBuffer as unknown as new (
    length: number,
    options: { maxByteLength: number },
  ) => ArrayBuffer;
  const buffer = new ResizableArrayBuffer(4, { maxByteLength: 100 });
  new Uint8Array(buffer).set([1, 2, 3, 4]);
  t.deepEqual(new Uint8Array(roundTrip(buffer)), new Uint8Array([1, 2, 3, 4]));
  t.deepEqual([...roundTrip({ view: new Uint8Array(buffer) }).view], [1, 2, 3, 4]);
});

test('empty arrays and buffers stay empty', (t) => {
  const value = [
    new Uint8Array(0),
    new ArrayBuffer(0),
    Buffer.alloc(0),
    new DataView(new ArrayBuffer(0)),
  ];
  t.deepEqual(roundTrip(value), value);
});

test('a value read from a message shares nothing with it', (t) => {
  const codec = new Codec();
  const bytes = record(codec, { large: new Uint8Array(3000).fill(5) });
  const copy = codec.decodeAt(bytes, 0, bytes.length) as { large: Uint8Array };
  bytes.fill(0);
  t.true(copy.large.every((byte) => byte === 5));
  t.not(copy.large.buffer, bytes.buffer);
});

test('a record at an unaligned place is still read', (t) => {
  const codec = new Codec();
  const bytes = record(codec, new Float64Array(200).fill(2));
  const moved = new Uint8Array(bytes.length + 3);
  moved.set(bytes, 3);
  t.deepEqual(codec.decode(moved.subarray(3)), new Float64Array(200).fill(2));
});

test('a record is written anywhere in a larger target and nothing around it changes', (t) => {
  const codec = new Codec();
  const encoded = codec.encode({ big: new Uint8Array(2000), text: 'x' });
  const target = new Uint8Array(64 + encoded.size + 64).fill(0xaa);
  encoded.write(target, 64);
  t.true(target.subarray(0, 64).every((byte) => byte === 0xaa));
  t.true(target.subarray(64 + encoded.size).every((byte) => byte === 0xaa));
  t.is((codec.decode(target.subarray(64, 64 + encoded.size)) as { text: string }).text, 'x');
});
