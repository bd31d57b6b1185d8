/** Figures as text. */
import type { Commit } from './machine.js';
import type { Setting } from './results.js';
import type { Estimate } from './statistics.js';
import type { Bar } from './workload.js';

/** Three significant digits, none of them made up. */
export function number(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value.toPrecision(3);
}

export function interval({ low, high }: Estimate): string {
  return `${number(low)} .. ${number(high)}`;
}

export function commitText(commit: Commit | undefined): string {
  if (commit === undefined) return 'no commit';
  return `commit ${commit.hash.slice(0, 12)}${commit.isDirty ? ' with changes' : ''}`;
}

/** The line that names the error in what a process has said at its end. */
export function reasonOf(failure = 'no result'): string {
  const lines = failure.split('\n');
  const reason = lines.find((line) => /^\s*\w*Error\b/.test(line)) ?? lines.at(-1)!;
  return reason.length <= 60 ? reason : `${reason.slice(0, 57)}...`;
}

/** How a run was made. */
export function settingLines(setting: Setting): string[] {
  const { machine, commit, plan, loadBefore, loadAfter } = setting;
  return [
    `${machine.cpu}, ${machine.cores} cores, ${(machine.memory / 2 ** 30).toFixed(0)} GiB, ${machine.arch}`,
    `${machine.kernel}, shared memory in huge pages: ${machine.hugePages}, Node ${machine.node}`,
    `${commitText(commit)}, ` +
      `load ${loadBefore.toFixed(1)} before and ${loadAfter.toFixed(1)} after`,
    `${plan.trials} trials of each contender in turn, each a process of its own with ` +
      `${plan.windows} windows or more of ${plan.windowMs} ms${plan.quick ? ' (--quick)' : ''}`,
  ];
}

export function barText({ against, atLeast, atMost }: Bar): string {
  const limit = atLeast === undefined ? `<= ${+number(atMost!)}` : `>= ${+number(atLeast)}`;
  return against === undefined ? limit : `${limit} x ${against}`;
}
