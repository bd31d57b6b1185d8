import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

let known: string | undefined;

/**
 * Names the machine, or the container that passes for one: 32 hex digits, the same until it boots.
 */
export function nodeId(): string {
  known ??= createHash('sha256').update(`${hostname()}\n${bootId()}`).digest('hex').slice(0, 32);
  return known;
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
  } catch {
    return '';
  }
}
