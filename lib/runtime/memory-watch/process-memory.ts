import { readFileSync } from 'node:fs';

/**
 * Bytes of a process that no other has, as the store's memory is: what would be free without it.
 * Undefined when it has ended.
 */
export function ownBytesOf(pid: number): number | undefined {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return undefined;
  }
  const match = /^RssAnon:\s*(\d+) kB$/m.exec(status);
  return match === null ? undefined : Number(match[1]) * 1024;
}
