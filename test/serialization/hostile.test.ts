import test from 'ava';
import { Codec, record } from './internals.js';

const codec = new Codec();

function decodes(bytes: Uint8Array): 'a value' | 'SerializationError' | Error {
  try {
    codec.decodeAt(bytes, 0, bytes.length);
    return 'a value';
  } catch (error) {
    if (!(error instanceof Error)) return new Error(String(error));
    return error.name === 'SerializationError' ? 'SerializationError' : error;
  }
}

const sample = record(codec, {
  text: 'text',
  list: [1, -2, 3.5, 10n ** 30n, undefined, new Date(0)],
  map: new Map<unknown, unknown>([[1, new Set([/a/g])]]),
  error: new AggregateError([new DOMException('m', 'AbortError')], 'all', { cause: {} }),
  views: [new Uint16Array(7), new Float64Array(200), new SharedArrayBuffer(8), Buffer.from('b')],
  sparse: Object.assign([1], { extra: Object(1) as object }),
});

test('damaged records decode to some value or a SerializationError', (t) => {
  let state = 99;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % below;
  };
  for (let i = 0; i < 30_000; i++) {
    const bytes = new Uint8Array(
      sample.subarray(0, random(4) === 0 ? random(sample.length) : sample.length),
    );
    for (let changes = random(6); changes >= 0 && bytes.length > 0; changes--) {
      bytes[random(Math.min(bytes.length, 600))] = random(256);
    }
    const outcome = decodes(bytes);
    t.true(typeof outcome === 'string', `damage ${String(i)}: ${String(outcome)}`);
  }
  t.deepEqual(Object.keys(Object.prototype), []);
});

const malformed: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['nothing', []],
  ['an unknown kind', [0x7f, 0xc0]],
  ['a kind alone', [0x01]],
  ['bytes left over', [0x01, 0xc0, 0xc0]],
  ['the unused byte', [0x01, 0xc1]],
  ['an array longer than its bytes', [0x01, 0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0]],
  ['an object longer than its bytes', [0x01, 0xdf, 0xff, 0xff, 0xff, 0xff, 0xa1, 0x61, 0xc0]],
  ['a string longer than its bytes', [0x01, 0xdb, 0xff, 0xff, 0xff, 0xff, 0x61]],
  ['a key that is no string', [0x01, 0x81, 0x01, 0xc0]],
  ['an unknown extension', [0x01, 0xd4, 0x63, 0x00]],
  ['an unknown tag', [0x01, 0x91, 0xd4, 0x01, 0x63]],
  ['a map with half an entry', [0x01, 0x92, 0xd4, 0x01, 0x01, 0xc0]],
  ['a back reference to nothing', [0x81, 0xd6, 0x05, 0x00, 0x00, 0x00, 0x00]],
  ['a view without data', [0x01, 0xd6, 0x06, 0x00, 0x00, 0x00, 0x00]],
  ['a date of 4 bytes', [0x01, 0xd6, 0x03, 0x00, 0x00, 0x00, 0x00]],
  ['a segmented record cut short', [0x02, 0x00, 0x00, 0x00, 0xff]],
  ['a raw record cut short', [0x03, 0x11, 0x00]],
];

for (const [name, bytes] of malformed) {
  test(`a record with ${name} is a SerializationError`, (t) => {
    t.is(decodes(Uint8Array.from(bytes)), 'SerializationError');
  });
}

test('segments that overlap, so that copies would outgrow the record, are refused', (t) => {
  const value = [new Uint8Array(100).fill(1), new Uint8Array(100).fill(2)];
  const bytes = Uint8Array.from(record(codec, value));
  t.is(decodes(bytes), 'a value');
  const table = new DataView(bytes.buffer, 16);
  table.setBigUint64(16, table.getBigUint64(0, true), true);
  t.is(decodes(bytes), 'SerializationError');
});

test('a hole outside an array is a SerializationError', (t) => {
  t.is(decodes(Uint8Array.of(0x01, 0xd4, 0x07, 0x00)), 'SerializationError');
});

test('arrays that claim to be huge inside each other do not take the memory', (t) => {
  const levels = 2000;
  const bytes = new Uint8Array(levels * 5 + 5_000_000).fill(0xc0);
  bytes[0] = 0x01;
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < levels; i++) {
    bytes[1 + 5 * i] = 0xdd;
    view.setUint32(2 + 5 * i, 4_000_000);
  }
  const before = process.memoryUsage().rss;
  t.is(decodes(bytes), 'SerializationError');
  t.true(process.memoryUsage().rss - before < 512 * 1024 * 1024);
});

test('sparse arrays that claim to be huge do not take the memory', (t) => {
  const one = [0x92, 0xd4, 0x01, 0x05, 0xce, 0x01, 0xe8, 0x48, 0x00];
  const bytes = [0x01, 0xdc, 0x03, 0xe8, ...Array.from({ length: 1000 }, () => one).flat()];
  const before = process.memoryUsage().rss;
  t.is(decodes(Uint8Array.from(bytes)), 'a value');
  t.true(process.memoryUsage().rss - before < 512 * 1024 * 1024);
});

test('nesting without end is a SerializationError', (t) => {
  const bytes = new Uint8Array(1_000_000).fill(0x91);
  bytes[0] = 0x01;
  t.is(decodes(bytes), 'SerializationError');
});

test('a __proto__ key in the bytes is an own property', (t) => {
  const key = Buffer.from('__proto__');
  const bytes = Uint8Array.of(0x01, 0x81, 0xa0 | key.length, ...key, 0x81, 0xa1, 0x78, 0x01);
  const value = codec.decode(bytes) as object;
  t.deepEqual(Object.keys(value), ['__proto__']);
  t.is(Object.getPrototypeOf(value), Object.prototype);
  t.is(Reflect.get({}, 'x'), undefined);
});
