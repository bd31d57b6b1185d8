import type { ExecutionContext } from 'ava';
import { Command } from '../../../build/test/support/command.js';

/** Whether Node-API gives addons the buffer of a shared array. */
export const lendsSharedMemory = !process.version.startsWith('v20.');

/** Runs an example to its end, which must leave nothing behind, and gives what it has printed. */
export async function outputOf(t: ExecutionContext, example: string): Promise<string> {
  const script = `examples/ecosystem/${example}/main.ts`;
  await using command = await Command.node('--import', 'tsx', script);
  const { code, stdout, stderr } = await command.outcome;
  t.is(stderr, '');
  t.is(code, 0);
  t.deepEqual(await command.remains(5000), { processes: [], files: [] });
  return stdout;
}
