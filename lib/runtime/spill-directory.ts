import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';

export interface SpillOptions {
  /** Default: the first of {@link defaultPlaces} that can be written. */
  readonly directory: string | undefined;
  /** Bytes. */
  readonly limit: number | undefined;
}

/** A `/tmp` is memory on many systems, and what is spilled there wins nothing. */
const defaultPlaces = ['/var/tmp', tmpdir()];

/**
 * Where the runtime makes its own directory. One that cannot be used is a warning now, and an
 * OutOfDiskError when something must be spilled.
 */
export function spillDirectoryFor({ directory }: SpillOptions): string {
  if (directory === undefined) return defaultPlaces.find(isWritable) ?? tmpdir();
  const path = resolve(directory);
  try {
    makeDirectory(path);
    accessSync(`${path}/.`, constants.W_OK);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const warning = `Objects cannot be spilled to spillDirectory ${path}: ${why}`;
    process.emitWarning(warning, { code: 'MOBULA_OUT_OF_DISK' });
  }
  return path;
}

/** With those above it. `recursive` of mkdirSync never ends in /proc, where mkdir says ENOENT. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  const above = dirname(path);
  if (!existsSync(above)) makeDirectory(above);
  mkdirSync(path);
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
