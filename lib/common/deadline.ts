import { onAbort } from './abort.js';

/** The longest delay that timers take. */
const longestDelay = 2 ** 31 - 1;

/**
 * Calls `expire` after `timeout` milliseconds and `abort` when the signal fires, whichever comes
 * first; neither once the returned function has been called. An Infinite or absent time-out never
 * expires. The timer keeps the process alive, as a pending wait should.
 */
export function startDeadline(
  limits: { timeout: number | undefined; signal: AbortSignal | undefined },
  expire: () => void,
  abort: (reason: unknown) => void,
): () => void {
  const { timeout, signal } = limits;
  const timer =
    timeout === undefined || timeout > longestDelay ? undefined : setTimeout(expire, timeout);
  const stopListening = signal && onAbort(signal, () => abort(signal.reason));
  return () => {
    clearTimeout(timer);
    stopListening?.();
  };
}
