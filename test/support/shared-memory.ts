import { readdirSync } from 'node:fs';

/** Names of what is in shared memory, other than the stores that tests make on purpose. */
export function sharedMemory(): Set<string> {
  return new Set(readdirSync('/dev/shm').filter((name) => !name.startsWith('mobula-test-')));
}

/**
 * What is new there. Whatever else runs on the machine may have put it there, so a test gives it time
 * to go away.
 */
export function sharedMemorySince(before: ReadonlySet<string>): string[] {
  return [...sharedMemory()].filter((name) => !before.has(name));
}
