/** Where and on what a run was made. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: number;
  readonly kernel: string;
  readonly arch: string;
  readonly node: string;
  /** The kernel's setting for shared memory. */
  readonly hugePages: string;
}

export interface Commit {
  readonly hash: string;
  /** The checkout has changes that are not committed. */
  readonly isDirty: boolean;
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memory: totalmem(),
    kernel: `${type()} ${release()}`,
    arch: arch(),
    node: process.version,
    hugePages: hugePages(),
  };
}

/** Processes that ran or waited to run in the last minute, on average. */
export function load(): number {
  return loadavg()[0]!;
}

function hugePages(): string {
  try {
    const setting = readFileSync('/sys/kernel/mm/transparent_hugepage/shmem_enabled', 'utf8');
    return /\[(\w+)\]/.exec(setting)?.[1] ?? 'unknown';
  } catch {
    return 'none';
  }
}

/** Of the checkout that has the folder; undefined outside one. */
export function commit(folder = import.meta.dirname): Commit | undefined {
  try {
    return {
      hash: git(folder, 'rev-parse', 'HEAD'),
      isDirty: git(folder, 'status', '--porcelain', '--untracked-files=no') !== '',
    };
  } catch {
    return undefined;
  }
}

function git(cwd: string, ...args: string[]): string {
  const options = { cwd, encoding: 'utf8', stdio: 'pipe' } as const;
  return execFileSync('git', args, options).trim();
}
