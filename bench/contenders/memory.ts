/** Plain memory of this process, copied into and filled. */
import type { Subject } from '../harness/workload.js';

type Memory = ArrayBufferConstructor | SharedArrayBufferConstructor;

/** V8 copies into a SharedArrayBuffer word by word, into an ArrayBuffer by memmove. */
export function warmCopy(bytes: number, memory: Memory): Subject {
  const source = Buffer.alloc(bytes, 1);
  const target = new Uint8Array(new memory(bytes));
  return repeated(() => source.copy(target));
}

export function coldCopy(bytes: number): Subject {
  const source = Buffer.alloc(bytes, 1);
  let target: Uint8Array;
  return {
    prepare() {
      target = new Uint8Array(bytes);
    },
    ...repeated(() => source.copy(target)),
  };
}

export function warmFill(bytes: number, memory: Memory): Subject {
  const target = new Uint8Array(new memory(bytes));
  return repeated(() => target.fill(1));
}

function repeated(operation: () => void): Subject {
  return {
    run(count) {
      for (let i = 0; i < count; i++) operation();
    },
  };
}
