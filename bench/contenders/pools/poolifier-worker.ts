import { requirePeer } from '../../harness/peers.js';
import * as work from '../work.js';

const { ThreadWorker } = requirePeer('poolifier') as {
  readonly ThreadWorker: new (functions: object) => object;
};

new ThreadWorker({ ...work });
