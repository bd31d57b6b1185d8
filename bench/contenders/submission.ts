import type { Subject } from '../harness/workload.js';

/** Starts one task. */
export type Submit = () => PromiseLike<unknown>;

/** Keeps `size` tasks outstanding; each that ends is followed by another. */
export function windowed(submit: Submit, size: number): Subject['run'] {
  return async (count) => {
    let left = count;
    const lane = async () => {
      while (left-- > 0) await submit();
    };
    await Promise.all(Array.from({ length: Math.min(size, count) }, lane));
  };
}

/** The next task starts when the one before has ended. */
export function serial(submit: Submit): Subject['run'] {
  return windowed(submit, 1);
}
