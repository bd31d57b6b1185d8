import { readFileSync } from 'node:fs';
import { remote } from 'mobula';

function statusBytes(name: string): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)![1]);
}

/** The resident memory of this process that is its own: no file, nothing shared. */
export function anonymousBytes(): number {
  return statusBytes('RssAnon');
}

export const sumAndMeasure = remote((array: Float64Array) => ({
  sum: array.reduce((total, n) => total + n, 0),
  pid: process.pid,
  anonymous: anonymousBytes(),
  shared: statusBytes('RssShmem'),
}));
