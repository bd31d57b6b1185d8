import { types } from 'node:util';
import { isDomException, isError } from './errors.js';

/** What the format makes of an object that is neither a plain array nor a plain object. */
export type ObjectKind =
  | 'array'
  | 'binary'
  | 'boxed'
  | 'date'
  | 'domException'
  | 'error'
  | 'map'
  | 'plain'
  | 'regexp'
  | 'set'
  | { readonly unclonable: string };

const unclonables: readonly (readonly [test: (value: object) => boolean, what: string])[] = [
  [types.isPromise, 'a promise: await it first, or pass an ObjectRef'],
  [types.isWeakMap, 'a WeakMap'],
  [types.isWeakSet, 'a WeakSet'],
  [(value) => value instanceof WeakRef, 'a WeakRef'],
  [(value) => value instanceof FinalizationRegistry, 'a FinalizationRegistry'],
  [types.isGeneratorObject, 'a generator: collect its items first'],
  [(value) => types.isMapIterator(value) || types.isSetIterator(value), 'an iterator'],
  [types.isExternal, 'a native handle'],
  [(value) => value instanceof MessagePort, 'a MessagePort'],
  [types.isKeyObject, 'a KeyObject: export it first'],
  [types.isCryptoKey, 'a CryptoKey: export it first'],
  [isCertificate, 'an X509Certificate: pass its raw bytes'],
];

/** Classes of the platform whose instances keep their state where no walk finds it. */
const platformTags: ReadonlySet<string> = new Set([
  'AbortController',
  'AbortSignal',
  'Blob',
  'BroadcastChannel',
  'Event',
  'EventTarget',
  'File',
  'FormData',
  'Headers',
  'MessageChannel',
  'ObjectStream',
  'ReadableStream',
  'Request',
  'Response',
  'TransformStream',
  'URL',
  'URLSearchParams',
  'WritableStream',
]);

/** The kinds that most objects are of, by prototype; the test catches what only looks so. */
const usual = new Map<unknown, readonly [test: (value: object) => boolean, kind: ObjectKind]>([
  [Uint8Array.prototype, [types.isTypedArray, 'binary']],
  [Float64Array.prototype, [types.isTypedArray, 'binary']],
  [Map.prototype, [types.isMap, 'map']],
  [Set.prototype, [types.isSet, 'set']],
  [Date.prototype, [types.isDate, 'date']],
  [Error.prototype, [types.isNativeError, 'error']],
]);

/** Goes by what an object is inside, as structured clone does, not by its prototype. */
export function kindOf(value: object): ObjectKind {
  const guess = usual.get(Object.getPrototypeOf(value));
  if (guess?.[0](value) === true) return guess[1];
  if (Array.isArray(value)) return 'array';
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return 'binary';
  if (types.isDate(value)) return 'date';
  if (types.isMap(value)) return 'map';
  if (types.isSet(value)) return 'set';
  if (types.isRegExp(value)) return 'regexp';
  if (types.isBoxedPrimitive(value)) {
    return types.isSymbolObject(value) ? { unclonable: 'a boxed symbol' } : 'boxed';
  }
  if (isDomException(value)) return 'domException';
  if (isError(value)) return 'error';
  const unclonable = unclonables.find(([test]) => test(value))?.[1] ?? platformObject(value);
  return unclonable === undefined ? 'plain' : { unclonable };
}

function platformObject(value: object): string | undefined {
  const tag = tagOf(value);
  const isKnown = /^(?:WebAssembly|Intl)\./.test(tag) || platformTags.has(tag);
  return isKnown ? `of the class ${tag}, which cannot be cloned` : undefined;
}

function isCertificate(value: object): boolean {
  const constructor: unknown = Reflect.get(value, 'constructor');
  return typeof constructor === 'function' && constructor.name === 'X509Certificate';
}

function tagOf(value: object): string {
  const tag: unknown = Reflect.get(value, Symbol.toStringTag);
  return typeof tag === 'string' ? tag : '';
}
