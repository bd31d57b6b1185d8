import { execFileSync } from 'node:child_process';

/** A Node executable that the package is tried on. */
export interface NodeLine {
  /** `v20.20.2` */
  readonly version: string;
  readonly executable: string;
}

/** Those that the script which runs the suite has chosen. */
export function nodeLines(): NodeLine[] {
  const executables = (process.env.MOBULA_NODES ?? '').split(':').filter(Boolean);
  if (executables.length === 0) throw new Error('MOBULA_NODES names no Node executable');
  return executables.map((executable) => ({
    version: execFileSync(executable, ['--version'], { encoding: 'utf8' }).trim(),
    executable,
  }));
}
