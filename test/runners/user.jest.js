import { init, put, shutdown } from 'mobula';
import { Counter, sum } from './workload.js';

afterEach(() => shutdown());

for (const isolation of ['thread', 'process']) {
  test(`tasks, actors and errors work in a ${isolation}`, async () => {
    init({ workers: 2, memory: '64MiB', isolation });
    const numbers = new Float64Array(1000).fill(0.5);
    const value = { numbers, map: new Map([[1, new Date(5)]]), error: new RangeError('far') };
    const ref = put(value);
    expect(await ref).toEqual(value);
    expect(await sum.remote(numbers)).toBe(500);
    const counter = Counter.remote();
    expect(await counter.add(2)).toBe(2);
    counter[Symbol.dispose]();
    await expect(sum.remote(null).then()).rejects.toThrow(/reduce/);
  });
}
