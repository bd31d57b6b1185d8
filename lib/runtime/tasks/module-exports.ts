import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

type Exports = () => object | undefined;

const { cache: commonJsModules } = createRequire(import.meta.url);
const known = new Map<string, Exports>();

/** To be called during the evaluation of the module, which nothing here delays. */
export function watchExports(url: string): void {
  if (!known.has(url)) known.set(url, commonJsExports(url) ?? importedExports(url));
}

/** What a watched module exports; undefined until it has been evaluated. */
export function exportsOf(url: string): object | undefined {
  return known.get(url)?.();
}

function commonJsExports(url: string): Exports | undefined {
  const module = url.startsWith('file:') ? commonJsModules[fileURLToPath(url)] : undefined;
  if (module === undefined) return undefined;
  return () => (module.loaded ? (module.exports as object) : undefined);
}

function importedExports(url: string): Exports {
  let namespace: object | undefined;
  // Resolves once the module has been evaluated; rejects when it threw, which Node reports.
  import(url).then(
    (evaluated: object) => (namespace = evaluated),
    () => undefined,
  );
  return () => namespace;
}
