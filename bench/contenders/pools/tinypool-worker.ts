import { requirePeer } from '../../harness/peers.js';
import * as work from '../work.js';

export { burn, lastOf, noop } from '../work.js';

const { Tinypool } = requirePeer('tinypool') as {
  readonly Tinypool: { move(array: Float64Array): unknown };
};

export const ones = (length: number) => Tinypool.move(work.ones(length));

export const copyOf = (numbers: Float64Array) => Tinypool.move(work.copyOf(numbers));
