import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 5;
const patienceMs = 30_000;

/** Polls until the condition holds; rejects, saying what was waited for, when it never does. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await delay(pollMs);
  }
}

/** As {@link until}, with a full garbage collection before each look. */
export async function untilCollected(what: string, condition: () => boolean): Promise<void> {
  await until(what, () => {
    collectGarbage();
    return condition();
  });
}

export function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('run the tests with --expose-gc');
  globalThis.gc();
}
