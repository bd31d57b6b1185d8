/** Ray itself, in a Python process that does what it is told, line by line. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Subject } from '../harness/workload.js';
import type { Counts, RowName } from './microbenchmark.js';

const script = fileURLToPath(new URL('../../../bench/contenders/ray_rows.py', import.meta.url));

/** Why there is no Ray on this machine; undefined when there is. */
export function whyNoRay(): string | undefined {
  const { status } = spawnSync('python3', ['-c', 'import numpy, ray'], { stdio: 'ignore' });
  return status === 0 ? undefined : `python3 -c 'import numpy, ray' fails`;
}

/** The Python process and its cluster end with their standard input, however this process ends. */
export async function ray(row: RowName, counts: Counts): Promise<Subject> {
  const python = spawn('python3', [script, JSON.stringify({ row, ...counts })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(python, 'close');
  const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  await answer(lines);
  return {
    async run(count) {
      python.stdin.write(`${JSON.stringify({ count })}\n`);
      await answer(lines);
    },
    async stop() {
      python.stdin.end();
      await ended;
    },
  };
}

async function answer(lines: AsyncIterator<string>): Promise<void> {
  const { done } = await lines.next();
  if (done === true) throw new Error('the Python process has ended before it answered');
}
