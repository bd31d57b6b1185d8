import test from 'ava';
import * as work from '../../bench/contenders/work.js';
import { arePeersInstalled } from '../../bench/harness/peers.js';
import { pools } from '../../bench/workloads/peers.js';

const present = pools.filter(({ isPeer }) => isPeer !== true || arePeersInstalled());

// One runtime of Mobula's at a time.
for (const { name, open } of present) {
  test.serial(`a pool of ${name} gives back what the functions return`, async (t) => {
    const pool = await open({ workers: 2, outstanding: 4 });
    const numbers = work.ones(1000).fill(7, 999);
    try {
      const results = await Promise.all([
        pool.run('noop'),
        pool.run('burn'),
        pool.run('lastOf', numbers),
        pool.run('ones', 3),
        pool.run('copyOf', numbers),
      ]);
      const expected = [undefined, work.burn(), 7, work.ones(3), numbers];
      t.deepEqual(results, expected);
    } finally {
      await pool.close();
    }
  });
}
