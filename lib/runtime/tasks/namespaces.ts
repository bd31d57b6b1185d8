import { AsyncLocalStorage } from 'node:async_hooks';

/** What the runtime uses of what a module exports. */
export interface Exported {
  readonly storages: readonly (readonly [name: string, storage: AsyncLocalStorage<unknown>])[];
}

const nothing: Exported = { storages: [] };
const known = new Map<string, Exported>();

/** Looks at the module's exports once it has been evaluated. What it throws is its importer's. */
export function watchNamespace(module: string): void {
  if (known.has(module)) return;
  known.set(module, nothing);
  import(module).then(
    (namespace: object) => addNamespace(module, namespace),
    () => undefined,
  );
}

/** `namespace` is what importing the module has given. */
export function addNamespace(module: string, namespace: object): void {
  known.set(module, exportsOf(namespace));
}

function exportsOf(namespace: object): Exported {
  const storages: [string, AsyncLocalStorage<unknown>][] = [];
  for (const [name, value] of Object.entries(namespace) as [string, unknown][]) {
    if (value instanceof AsyncLocalStorage) storages.push([name, value]);
  }
  return { storages };
}

/** Nothing before the module has been evaluated. */
export function namespaceOf(module: string): Exported {
  return known.get(module) ?? nothing;
}
