import { createSecretKey, X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import test from 'ava';
import { Codec, roundTrip } from './internals.js';

const codec = new Codec();

function refusal(value: unknown): string {
  try {
    codec.encode(value);
  } catch (error) {
    return error instanceof Error && error.name === 'SerializationError'
      ? error.message
      : String(error);
  }
  return 'encoded';
}

test('the message names the path to the culprit', (t) => {
  const callback = (): void => undefined;
  t.is(refusal(callback), 'value is a function');
  t.is(refusal({ items: [0, 1, 2, { callback }] }), 'value.items[3].callback is a function');
  t.is(refusal({ 'odd key': Symbol('s') }), 'value["odd key"] is a symbol');
  t.is(refusal(new Map([['k', { f: callback }]])), 'value.get("k").f is a function');
  t.is(refusal([1, new Set([callback])]), 'value[1].values()[0] is a function');
  t.is(refusal(new Error('e', { cause: { callback } })), 'value.cause.callback is a function');
  t.is(refusal({ a: { b: 1 }, c: callback }), 'value.c is a function');
});

function* generator(): Generator<number> {
  yield 1;
}

const unclonables: readonly (readonly [name: string, value: unknown, expected: RegExp])[] = [
  ['a class', Array, /is a function/],
  ['a proxy of a function', new Proxy(() => 0, {}), /is a function/],
  ['a symbol', Symbol.iterator, /is a symbol/],
  ['a boxed symbol', Object(Symbol('s')), /is a boxed symbol/],
  ['a WeakMap', new WeakMap(), /is a WeakMap/],
  ['a WeakSet', new WeakSet(), /is a WeakSet/],
  ['a WeakRef', new WeakRef({}), /is a WeakRef/],
  ['a promise', Promise.resolve(1), /is a promise/],
  ['a generator', generator(), /is a generator/],
  ['a map iterator', new Map().keys(), /is an iterator/],
  ['a message port', new MessageChannel().port1, /is a MessagePort/],
  ['a Blob', new Blob(['x']), /is of the class Blob/],
  ['a URL', new URL('https://example.org'), /is of the class URL/],
  ['an AbortSignal', new AbortController().signal, /is of the class AbortSignal/],
  ['a ReadableStream', new ReadableStream(), /is of the class ReadableStream/],
  ['a Request', new Request('https://example.org'), /is of the class Request/],
  ['an Intl formatter', new Intl.NumberFormat(), /is of the class Intl\.NumberFormat/],
  ['a KeyObject', createSecretKey(Buffer.alloc(16)), /is a KeyObject/],
  ['a certificate', new X509Certificate(rootCertificates[0]!), /is an X509Certificate/],
];

for (const [name, value, expected] of unclonables) {
  test(`${name} is refused`, (t) => {
    t.regex(refusal([value]), expected);
    t.regex(refusal([value]), /^value\[0\]/);
  });
}

test('a detached buffer and the views on it are refused', (t) => {
  const buffer = new ArrayBuffer(16);
  const values = [buffer, new Uint8Array(buffer), new DataView(buffer)];
  structuredClone(buffer, { transfer: [buffer] });
  for (const value of values) {
    t.regex(refusal(value), /^value is on a detached buffer/);
    t.regex(refusal({ value }), /^value\.value is on a detached buffer/);
  }
});

test('what a getter throws passes through unchanged', (t) => {
  const thrown = new Error('mine');
  const value = {
    get broken(): never {
      throw thrown;
    },
  };
  t.is(
    t.throws(() => codec.encode([value])),
    thrown,
  );
});

test('nesting too deep for the stack is refused in words, and the codec goes on', (t) => {
  let nested: unknown = 0;
  for (let i = 0; i < 100_000; i++) nested = { nested };
  t.regex(refusal(nested), /nested more than \d+ levels deep/);
  t.is(roundTrip('next', codec), 'next');
});

test('a thousand levels are no problem', (t) => {
  let nested: unknown = 'core';
  for (let i = 0; i < 1000; i++) nested = i % 2 === 0 ? [nested] : { nested };
  let copy = roundTrip(nested);
  for (let i = 999; i >= 0; i--) {
    copy = i % 2 === 0 ? (copy as unknown[])[0] : (copy as { nested: unknown }).nested;
  }
  t.is(copy, 'core');
});

test('a refused value leaves the codec as it was', (t) => {
  const shared = {};
  t.regex(refusal([shared, shared, () => 0]), /function/);
  t.deepEqual(roundTrip([1, { a: [] }], codec), [1, { a: [] }]);
});
