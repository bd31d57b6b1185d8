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
  [(value) => tagOf(value).startsWith('WebAssembly.'), 'a WebAssembly object'],
];

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
  const unclonable = unclonables.find(([test]) => test(value));
  return unclonable === undefined ? 'plain' : { unclonable: unclonable[1] };
}

function tagOf(value: object): string {
  const tag: unknown = Reflect.get(value, Symbol.toStringTag);
  return typeof tag === 'string' ? tag : '';
}
