import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** A directory of the test's own, which must be empty at its end, or gone. */
export async function spillPlace(t: ExecutionContext): Promise<string> {
  const place = await mkdtemp(join(tmpdir(), 'mobula-test-'));
  t.teardown(() => rm(place, { recursive: true, force: true }));
  return place;
}

/** Paths of the spill files of all runtimes that spill to a place. */
export function spillFiles(place: string): string[] {
  return readdirSync(place)
    .filter((name) => name.startsWith('mobula-spill-'))
    .flatMap((name) => readdirSync(join(place, name)).map((file) => join(place, name, file)));
}
