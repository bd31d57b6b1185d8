import { errorClass, MobulaError } from '../../common/errors.js';
import type { ErrorClass } from '../../serialization/hooks.js';
import { exportsOf } from './module-exports.js';

export type ErrorConstructor = ErrorClass & { readonly name: string };
type ClassesByName = Map<string, ErrorConstructor>;

/** A module that has declared functions or classes. */
interface DeclaringModule {
  readonly url: string;
  /** What is exported, once somebody has asked. */
  classes: ClassesByName | undefined;
}

const given: ClassesByName = new Map();
/** By URL, the latest last. */
const modules = new Map<string, DeclaringModule>();
let preferred: string | undefined;

/** From now on errors of this class arrive in this thread as its instances. */
export function addErrorClass(type: ErrorConstructor): void {
  given.set(type.name, type);
}

/**
 * Once the module has been evaluated, errors of the classes that it exports arrive in this thread
 * as their instances.
 */
export function addErrorsOf(url: string): void {
  if (!modules.has(url)) modules.set(url, { url, classes: undefined });
}

/** The URLs of the modules that have declared something in this thread. */
export function declaringModules(): Iterable<string> {
  return modules.keys();
}

/** Runs `read`; of classes of one name it finds that which the module at `url` exports. */
export function preferErrorsOf<T>(url: string, read: () => T): T {
  const outer = preferred;
  preferred = url;
  try {
    return read();
  } finally {
    preferred = outer;
  }
}

/**
 * The class of errors that arrive under this name: one of Mobula's, one that was given, or one that
 * a declaring module exports, the preferred module first, then the latest.
 */
export function resolveErrorClass(name: string): ErrorClass | undefined {
  if (name === '') return undefined;
  if (name === 'MobulaError') return MobulaError;
  return errorClass(name) ?? given.get(name) ?? exportedClass(name);
}

function exportedClass(name: string): ErrorClass | undefined {
  const own = preferred === undefined ? undefined : classesOf(modules.get(preferred))?.get(name);
  if (own !== undefined) return own;
  let latest: ErrorClass | undefined;
  for (const module of modules.values()) latest = classesOf(module)?.get(name) ?? latest;
  return latest;
}

function classesOf(module: DeclaringModule | undefined): ClassesByName | undefined {
  if (module?.classes !== undefined) return module.classes;
  const exports = module === undefined ? undefined : exportsOf(module.url);
  if (module === undefined || exports === undefined) return undefined;
  const classes = [exports, ...(Object.values(exports) as unknown[])].filter(isErrorClass);
  return (module.classes = new Map(classes.map((type) => [type.name, type])));
}

function isErrorClass(value: unknown): value is ErrorConstructor {
  return typeof value === 'function' && value.prototype instanceof Error;
}
