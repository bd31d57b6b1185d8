import { inspect, types } from 'node:util';
import type { CodecHooks, ErrorClass } from './hooks.js';

/** What travels of an error, in the order of the format. */
export interface ErrorParts {
  /** Name of the class; '' when it has none. */
  readonly className: string;
  readonly name: string;
  /** Own properties: message, stack, cause and errors first, then the enumerable others. */
  readonly properties: readonly (readonly [key: string, value: unknown])[];
}

const hiddenProperties: readonly string[] = ['message', 'stack', 'cause', 'errors'];

const builtInClasses = new Map<string, ErrorClass>(
  [
    Error,
    EvalError,
    RangeError,
    ReferenceError,
    SyntaxError,
    TypeError,
    URIError,
    AggregateError,
  ].map((errorClass) => [errorClass.name, errorClass as ErrorClass]),
);

export function isError(value: object): value is Error {
  return types.isNativeError(value) || value instanceof Error;
}

export function isDomException(value: object): value is DOMException {
  return value instanceof DOMException;
}

export function errorParts(error: Error): ErrorParts {
  const properties: [string, unknown][] = [];
  for (const key of hiddenProperties) {
    if (Object.hasOwn(error, key)) properties.push([key, Reflect.get(error, key)]);
  }
  for (const key of Object.keys(error)) {
    if (!hiddenProperties.includes(key)) properties.push([key, Reflect.get(error, key)]);
  }
  return { className: classNameOf(error), name: nameOf(error), properties };
}

function nameOf(error: Error): string {
  const name: unknown = Reflect.get(error, 'name');
  return typeof name === 'string' ? name : 'Error';
}

function classNameOf(error: Error): string {
  const constructor: unknown = Reflect.get(error, 'constructor');
  return typeof constructor === 'function' ? constructor.name : '';
}

/** An error of the class that `className` names here, still without its properties. */
export function createError(className: string, name: string, hooks: CodecHooks): Error {
  const prototype = errorPrototype(className, name, hooks);
  const error = bareError();
  if (prototype !== Error.prototype) Object.setPrototypeOf(error, prototype);
  if (error.name !== name) defineHidden(error, 'name', name);
  return error;
}

/** The built-in that `name` tells stands in for subclasses such as those inside Node. */
function errorPrototype(className: string, name: string, hooks: CodecHooks): Error {
  const builtIn = builtInClasses.get(className);
  if (builtIn !== undefined) return builtIn.prototype;
  const resolved = hooks.resolveErrorClass?.(className)?.prototype;
  if (resolved instanceof Error) return resolved;
  return (builtInClasses.get(name) ?? Error).prototype;
}

function bareError(): Error {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const error = new Error();
  Error.stackTraceLimit = limit;
  // The stack that V8 gives names this file; the real one follows with the properties.
  defineHidden(error, 'stack', undefined);
  return error;
}

export function setErrorProperty(error: Error, key: string, value: unknown): void {
  if (hiddenProperties.includes(key)) {
    defineHidden(error, key, value);
    return;
  }
  Object.defineProperty(error, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

function defineHidden(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, {
    value,
    writable: true,
    enumerable: false,
    configurable: true,
  });
}

/** What went wrong, in one line, whatever was thrown. */
export function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : inspect(thrown, { depth: 0 });
}
