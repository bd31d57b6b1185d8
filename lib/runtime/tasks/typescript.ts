import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';

const loaderFile = /^(file:.*\/tsx\/dist\/)(?:loader|esm\/index)\.mjs$/;

/**
 * With Node 20 the loader tsx registers itself in the main thread only, though a thread inherits
 * the option that names it. Other loaders, and later lines of Node, need no help.
 */
export async function registerLoader(): Promise<void> {
  if (isMainThread || !process.version.startsWith('v20.')) return;
  const api = loaderApi();
  if (api === undefined) return;
  const { register } = (await import(api)) as { register: () => unknown };
  register();
}

/** The URL of the module with which tsx registers itself. */
function loaderApi(): string | undefined {
  for (const option of importedModules()) {
    const [, distribution] = loaderFile.exec(option) ?? [];
    if (distribution !== undefined) return `${distribution}esm/api/index.mjs`;
    if (option !== 'tsx' && option !== 'tsx/esm') continue;
    const require = createRequire(join(process.cwd(), 'main.js'));
    const folder = new URL('dist/', pathToFileURL(require.resolve('tsx/package.json')));
    return `${folder.href}esm/api/index.mjs`;
  }
  return undefined;
}

function importedModules(): string[] {
  return process.execArgv.flatMap((argument, i) => {
    if (argument === '--import') return process.execArgv[i + 1] ?? [];
    return argument.startsWith('--import=') ? argument.slice('--import='.length) : [];
  });
}
