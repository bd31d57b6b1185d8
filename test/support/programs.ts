import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What each of test/pack/programs writes: shared memory, a sum of sums, a stored text. */
export const EXPECTED = 'true 1000 kept\n';

/** The compiled programs of test/pack/programs, with the argument that they take. */
export const programRuns = ['by-import.mjs', 'by-require.cjs'].flatMap((program) =>
  ['thread', 'process'].map((isolation) => ({ program, isolation })),
);

/** What a program has written to standard output. Rejects when it fails, with its standard error. */
export async function outputOf(
  node: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<string> {
  const { stdout } = await run(node, args, options);
  return stdout;
}
