/** The packages that Mobula is compared with: bench/peers has their list and lock file. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../../bench/peers/', import.meta.url));

/** Installs them unless they are there; false when that fails. */
export function installPeers(): boolean {
  if (arePeersInstalled()) return true;
  console.error('Installing what Mobula is compared with into bench/peers');
  try {
    execFileSync('npm', ['ci'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
    return true;
  } catch {
    return false;
  }
}

/** In the versions that the list names. */
export function arePeersInstalled(): boolean {
  try {
    const { dependencies } = packageIn('.') as { dependencies: Record<string, string> };
    return Object.entries(dependencies).every(([name, version]) => {
      const installed = packageIn(join('node_modules', name)) as { version: string };
      return installed.version === version;
    });
  } catch {
    return false;
  }
}

function packageIn(path: string): unknown {
  return JSON.parse(readFileSync(join(folder, path, 'package.json'), 'utf8'));
}

/** The caller knows what the package exports. */
export function requirePeer(name: string): unknown {
  return createRequire(join(folder, 'package.json'))(name);
}
