import { readdirSync, readFileSync } from 'node:fs';

/** Pids of the processes that this one has started. */
export function children(): number[] {
  return readdirSync('/proc/self/task').flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

export function killChildren(): void {
  for (const pid of children()) process.kill(pid, 'SIGKILL');
}
