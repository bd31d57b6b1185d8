/** Plain memory of this process, copied into and filled. */
import type { Subject } from '../harness/workload.js';

export function warmMemory(bytes: number): Subject {
  const source = Buffer.alloc(bytes, 1);
  const target = new Uint8Array(new SharedArrayBuffer(bytes));
  return repeated(() => source.copy(target));
}

export function coldMemory(bytes: number): Subject {
  const source = Buffer.alloc(bytes, 1);
  let target: Uint8Array;
  return {
    prepare() {
      target = new Uint8Array(new SharedArrayBuffer(bytes));
    },
    ...repeated(() => source.copy(target)),
  };
}

export function warmFill(bytes: number): Subject {
  const target = new Uint8Array(new SharedArrayBuffer(bytes));
  return repeated(() => target.fill(1));
}

function repeated(operation: () => void): Subject {
  return {
    run(count) {
      for (let i = 0; i < count; i++) operation();
    },
  };
}
