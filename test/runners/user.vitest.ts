import { init, put, shutdown } from 'mobula';
import { afterEach, expect, test } from 'vitest';
import { Counter, sum } from './workload.js';

afterEach(() => shutdown());

for (const isolation of ['thread', 'process'] as const) {
  test(`tasks, actors and errors work in a ${isolation}`, async () => {
    init({ workers: 2, memory: '64MiB', isolation });
    const numbers = new Float64Array(1000).fill(0.5);
    const ref = put(numbers);
    expect(await ref).toEqual(numbers);
    expect(await sum.remote(ref)).toBe(500);
    using counter = Counter.remote();
    expect(await counter.add(2)).toBe(2);
    await expect(sum.remote(null as never).then()).rejects.toThrow(/reduce/);
  });
}
