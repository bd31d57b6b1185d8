import type { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { addErrorsOf } from './error-classes.js';
import { watchExports } from './module-exports.js';

export type AnyFunction = (...args: never[]) => unknown;
export type AnyClass = new (...args: never[]) => object;

/**
 * A function or class that workers find by importing the module that declared it: the module's URL,
 * plus its name, plus which of that name, or of those without one, it is in the module.
 */
export interface Declaration<Target = AnyFunction | AnyClass> {
  readonly target: Target;
  readonly module: string;
  /** For messages: what has no name of its own is a number of its module. */
  readonly name: string;
  /** 48 bits of a hash of the identity: what travels. */
  readonly key: number;
  /** The AsyncLocalStorages that the module exports, once somebody has looked for them. */
  storages?: readonly ExportedStorage[] | undefined;
}

export type ExportedStorage = [name: string, storage: AsyncLocalStorage<unknown>];

const declarations = new Map<number, Declaration>();
const counts = new Map<string, number>();

/** Called by `remote()` and `actor()`, at the top level of a module. */
export function declare<Target extends AnyFunction | AnyClass>(
  target: Target,
  module: string,
): Declaration<Target> {
  const kind = isClass(target) ? 'class' : 'function';
  const place = `${module}\n${kind} ${target.name}`;
  const number = (counts.get(place) ?? 0) + 1;
  counts.set(place, number);
  const name = target.name || `${kind} #${number} of ${module}`;
  const hash = createHash('sha256').update(`${place}\n${number}`).digest();
  const key = hash.readUIntBE(0, 6);
  const declaration = { target, module, name, key, storages: undefined };
  declarations.set(declaration.key, declaration);
  watchExports(module);
  addErrorsOf(module);
  return declaration;
}

/** What cannot be called without `new`. */
export function isClass(target: AnyFunction | AnyClass): boolean {
  return /^class\b/.test(Function.prototype.toString.call(target));
}

export function findDeclaration(key: number): Declaration | undefined {
  return declarations.get(key);
}

/**
 * The URL of the module whose code called `callee`; undefined when that is no module, as in `-e`,
 * on stdin and in a REPL.
 */
export function callerModule(callee: AnyFunction): string | undefined {
  const file = callerFile(callee);
  if (file === undefined || file === null) return undefined;
  if (/\[(?:eval\d*|stdin)\](?:-wrapper)?$/.test(file)) return undefined;
  if (isAbsolute(file)) return pathToFileURL(file).href;
  return /^(?:file|data|https?):/.test(file) ? file : undefined;
}

function callerFile(callee: AnyFunction): string | null | undefined {
  const { stackTraceLimit } = Error;
  const prepare = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  const holder: { stack?: NodeJS.CallSite[] } = {};
  try {
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_error, sites) => sites;
    Error.captureStackTrace(holder, callee);
    return holder.stack?.[0]?.getFileName();
  } finally {
    if (prepare === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Object.defineProperty(Error, 'prepareStackTrace', prepare);
    Error.stackTraceLimit = stackTraceLimit;
  }
}
