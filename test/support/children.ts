import { readdirSync, readFileSync } from 'node:fs';

/** Pids of the processes that this one has started. */
export function children(): number[] {
  return readdirSync('/proc/self/task').flatMap((task) =>
    childrenOf(task).split(' ').filter(Boolean).map(Number),
  );
}

/** Empty for a thread that has ended meanwhile. */
function childrenOf(task: string): string {
  try {
    return readFileSync(`/proc/self/task/${task}/children`, 'utf8');
  } catch {
    return '';
  }
}

export function killChildren(): void {
  for (const pid of children()) process.kill(pid, 'SIGKILL');
}
