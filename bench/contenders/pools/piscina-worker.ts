import { requirePeer } from '../../harness/peers.js';
import * as work from '../work.js';

export { burn, lastOf, noop } from '../work.js';

const { Piscina } = requirePeer('piscina') as {
  readonly Piscina: { move(array: Float64Array): unknown };
};

export const ones = (length: number) => Piscina.move(work.ones(length));

export const copyOf = (numbers: Float64Array) => Piscina.move(work.copyOf(numbers));
