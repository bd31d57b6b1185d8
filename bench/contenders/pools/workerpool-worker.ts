import { requirePeer } from '../../harness/peers.js';
import * as work from '../work.js';

const workerpool = requirePeer('workerpool') as {
  worker(functions: object): void;
  readonly Transfer: new (value: unknown, transfer: unknown[]) => object;
};

const transferred = (array: Float64Array) => new workerpool.Transfer(array, [array.buffer]);

workerpool.worker({
  ...work,
  ones: (length: number) => transferred(work.ones(length)),
  copyOf: (numbers: Float64Array) => transferred(work.copyOf(numbers)),
});
