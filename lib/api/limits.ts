import { checkDuration, checkKeys, checkObject, checkSignal } from '../common/validate.js';

/** How long a call waits, in milliseconds, and what else ends the wait. */
export interface Limits {
  readonly timeout: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Of options that have no keys but the known ones. */
export function checkLimits(
  options: { timeout?: number | string; signal?: AbortSignal },
  known: readonly string[] = ['timeout', 'signal'],
): Limits {
  checkObject('options', options);
  checkKeys('options', options, known);
  const { timeout, signal } = options;
  if (signal !== undefined) checkSignal('options.signal', signal);
  return {
    timeout: timeout === undefined ? undefined : checkDuration('options.timeout', timeout),
    signal,
  };
}
