import { AsyncLocalStorage } from 'node:async_hooks';
import type { Declaration, ExportedStorage } from './functions.js';
import { exportsOf } from './module-exports.js';
import type { Terms } from './task-spec.js';

/** What is used of @opentelemetry/api, when the process has loaded it: its global of version 1. */
interface OpenTelemetry {
  readonly context?: { active(): unknown; with<T>(context: unknown, fn: () => T): T };
  readonly propagation?: {
    inject(context: unknown, carrier: object, setter: TextMapSetter): void;
    extract(context: unknown, carrier: object, getter: TextMapGetter): unknown;
  };
}

interface TextMapSetter {
  set(carrier: Record<string, string>, key: string, value: string): void;
}

interface TextMapGetter {
  get(carrier: Record<string, string>, key: string): string | undefined;
  keys(carrier: Record<string, string>): string[];
}

const openTelemetryKey = Symbol.for('opentelemetry.js.api.1');
const setter: TextMapSetter = {
  set(carrier, key, value) {
    carrier[key] = value;
  },
};
const getter: TextMapGetter = {
  get: (carrier, key) => carrier[key],
  keys: (carrier) => Object.keys(carrier),
};

let found: OpenTelemetry | undefined;
let hasLooked = false;

/** Looks once a turn: a global that is not there is looked for at length. */
function openTelemetry(): OpenTelemetry | undefined {
  if (hasLooked) return found;
  hasLooked = true;
  setImmediate(() => (hasLooked = false)).unref();
  found = Reflect.get(globalThis, openTelemetryKey) as OpenTelemetry | undefined;
  return found;
}

/**
 * The terms of a task, with the context of the code that submits it: the trace that OpenTelemetry
 * propagates, and the values of the AsyncLocalStorages that the function's module exports.
 */
export function withContext(declaration: Declaration, terms: Terms | undefined): Terms | undefined {
  const trace = activeTrace();
  const locals = activeLocals(declaration);
  if (trace === undefined && locals === undefined) return terms;
  return { ...terms, ...(trace && { trace }), ...(locals && { locals }) };
}

function activeTrace(): Record<string, string> | undefined {
  const { context, propagation } = openTelemetry() ?? {};
  if (context === undefined || propagation === undefined) return undefined;
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier, setter);
  return Object.keys(carrier).length === 0 ? undefined : carrier;
}

function activeLocals(declaration: Declaration): [string, unknown][] | undefined {
  const storages = storagesOf(declaration);
  if (storages.length === 0) return undefined;
  const locals: [string, unknown][] = [];
  for (const [name, storage] of storages) {
    const value = storage.getStore();
    if (value !== undefined) locals.push([name, value]);
  }
  return locals.length === 0 ? undefined : locals;
}

const none: readonly ExportedStorage[] = [];

/** None before the module has been evaluated. */
function storagesOf(declaration: Declaration): readonly ExportedStorage[] {
  if (declaration.storages !== undefined) return declaration.storages;
  const exports = exportsOf(declaration.module);
  if (exports === undefined) return none;
  declaration.storages = (Object.entries(exports) as [string, unknown][]).filter(isStorage);
  return declaration.storages;
}

function isStorage(entry: [string, unknown]): entry is ExportedStorage {
  return entry[1] instanceof AsyncLocalStorage;
}

/** Calls `fn` in the context that the task's submitter had. */
export function withCarried<T>(declaration: Declaration, terms: Terms, fn: () => T): T {
  const { locals = [], trace } = terms;
  const storages = storagesOf(declaration);
  let inner = trace === undefined ? fn : () => withTrace(trace, fn);
  for (const [name, value] of locals) {
    const storage = storages.find(([exported]) => exported === name)?.[1];
    if (storage === undefined) continue;
    const next = inner;
    inner = () => storage.run(value, next);
  }
  return inner();
}

function withTrace<T>(trace: Readonly<Record<string, string>>, fn: () => T): T {
  const { context, propagation } = openTelemetry() ?? {};
  if (context === undefined || propagation === undefined) return fn();
  const extracted = propagation.extract(context.active(), trace, getter);
  return context.with(extracted, fn);
}
