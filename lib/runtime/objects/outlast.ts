/** Others need less to seal what they have begun, unless they are stopped. */
const patienceMs = 1000;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/**
 * Tries again, blocking the thread, while it fails because another thread or process is in the
 * midst of making the same.
 */
export function outlast<T>(attempt: () => T, isOther: (error: unknown) => boolean): T {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!isOther(error) || performance.now() > deadline) throw error;
      Atomics.wait(sleeper, 0, 0, 1);
    }
  }
}
