import { FunctionNotFoundError, MobulaError } from '../../common/errors.js';
import type { Core } from '../core.js';
import { findDeclaration, type Declaration } from './functions.js';
import { registerLoader } from './typescript.js';

let importing = 0;
let loaderRegistered: Promise<void> | undefined;
let activeTasks: (() => number) | undefined;

/** This thread is a worker: it imports modules for what they declare, not for what they do. */
export function watchImports(countActiveTasks: () => number): void {
  activeTasks = countActiveTasks;
}

/**
 * Throws while a worker imports a module: that module's driver code must not run again in every
 * worker. What running tasks do meanwhile is let pass.
 */
export function assertNotImporting(what: string): void {
  if (!isImporting()) return;
  throw new MobulaError(
    'MOBULA_NOT_IN_MAIN',
    `${what} was called while a worker imported the module to find its functions: ` +
      'wrap the code that only the driver should run in main(async () => { ... })',
  );
}

export function isImporting(): boolean {
  return importing > 0 && activeTasks?.() === 0;
}

/** Whether this thread is a worker. */
export function isWorker(): boolean {
  return activeTasks !== undefined;
}

const loading = new Map<number, Promise<Declaration>>();

/** Imports the module behind a key that this thread does not know yet. */
export function loadDeclaration(core: Core, key: number): Promise<Declaration> {
  const known = loading.get(key);
  if (known !== undefined) return known;
  const promise = load(core, key).finally(() => loading.delete(key));
  loading.set(key, promise);
  return promise;
}

async function load(core: Core, key: number): Promise<Declaration> {
  const { module, name } = await core.declarations.lookUp(key);
  await importModule(module, name);
  const found = findDeclaration(key);
  if (found !== undefined) return found;
  throw new FunctionNotFoundError(
    `A worker imported ${module} and found no ${name} in it: call remote() and actor() at the top ` +
      'level of the module, unconditionally',
  );
}

/** Test runners compile TypeScript by themselves, where the workers of their tests cannot. */
function adviceOn(cause: unknown): string {
  const isUnknown = (cause as NodeJS.ErrnoException).code === 'ERR_UNKNOWN_FILE_EXTENSION';
  return isUnknown ? '; start Node with `--import tsx`, or use a Node that runs TypeScript' : '';
}

async function importModule(module: string, name: string): Promise<void> {
  importing++;
  try {
    await (loaderRegistered ??= registerLoader());
    await import(module);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FunctionNotFoundError(
      `A worker could not import ${module} to find ${name}: ${why}${adviceOn(cause)}`,
      { cause },
    );
  } finally {
    importing--;
  }
}
