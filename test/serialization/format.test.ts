import test from 'ava';
import { Packr } from 'msgpackr';
import { Codec, record } from './internals.js';

const codec = new Codec();
const peer = new Packr({ useRecords: false, variableMapSize: true, int64AsType: 'number' });

const plainValues: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  127,
  128,
  -33,
  65_536,
  4_294_967_295,
  -2_147_483_648,
  1.5,
  2 ** 53,
  '',
  'short',
  'ü'.repeat(200),
  'x'.repeat(70_000),
  [],
  {},
  { a: [1, { b: 'c' }], d: null },
  Array.from({ length: 70_000 }, (_, i) => i),
  Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key ${String(i)}`, i])),
];

function hex(value: unknown): string {
  return Buffer.from(record(codec, value)).toString('hex');
}

test('plain values are the MessagePack that another implementation reads', (t) => {
  for (const value of plainValues) {
    const bytes = record(codec, value);
    t.is(bytes[0], 0x01);
    t.deepEqual(peer.unpack(Buffer.from(bytes.subarray(1))), value);
  }
});

test('the MessagePack that another implementation writes is read as the same values', (t) => {
  for (const value of plainValues) {
    const bytes = Buffer.concat([Uint8Array.of(0x01), peer.pack(value)]);
    t.deepEqual(codec.decode(bytes), value);
  }
});

test('64-bit integers of other writers are numbers where exact and bigints elsewhere', (t) => {
  const read = (...bytes: number[]): unknown => codec.decode(Uint8Array.of(0x01, ...bytes));
  t.is(read(0xcf, 0, 0, 0, 1, 0, 0, 0, 0), 2 ** 32);
  t.is(read(0xd3, 255, 255, 255, 255, 255, 255, 255, 254), -2);
  t.is(read(0xcf, 255, 255, 255, 255, 255, 255, 255, 255), 2n ** 64n - 1n);
  t.is(read(0xca, 0x3f, 0xc0, 0, 0), 1.5);
});

test('inline records have the bytes that FORMAT.md says', (t) => {
  t.is(hex({ a: 1 }), '0181a16101');
  t.is(hex(undefined), '01d40000');
  t.is(hex(-0), '01cb8000000000000000');
  t.is(hex(-1n), '01c70102ff');
  t.is(hex(128n), '01c702020080');
  t.is(hex(new Date(1)), '01d7033ff0000000000000');
  t.is(hex('\ud800'), '01c7020400d8');
  t.is(hex(new Map([[1, 2]])), '0193d401010102');
  t.is(hex(new Set([3])), '0192d4010203');
  t.is(hex(/a/g), '0193d40103a161a167');
  t.is(hex(Object(true)), '0192d40104c3');
  // eslint-disable-next-line no-sparse-arrays
  t.is(hex([, 7]), '0194d40105020107');
  const shared = {};
  t.is(hex([shared, shared]), '819280d60500000001');
});

test('segmented records have the bytes that FORMAT.md says', (t) => {
  const bytes = record(codec, [Uint8Array.of(7, 8)]);
  const expected = Buffer.concat([
    Buffer.from('02000000' + '01000000' + '01000000' + '07000000', 'hex'),
    Buffer.from('3f00000000000000' + '0200000000000000', 'hex'),
    Buffer.from('11000000' + '00000000' + '0000000000000000' + '0200000000000000', 'hex'),
    Buffer.from('91d60600000000' + '0708', 'hex'),
  ]);
  t.is(Buffer.from(bytes).toString('hex'), expected.toString('hex'));
});

test('raw records have the bytes that FORMAT.md says', (t) => {
  const bytes = record(codec, new Uint16Array(512).fill(0x0102));
  const header = Buffer.alloc(64);
  header[0] = 0x03;
  header[1] = 0x14;
  header.writeBigUInt64LE(1024n, 8);
  t.deepEqual(Buffer.from(bytes.subarray(0, 64)), header);
  t.is(bytes.length, 64 + 1024);
});
