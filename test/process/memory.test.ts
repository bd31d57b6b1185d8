import { readFileSync } from 'node:fs';
import test from 'ava';
import { allocate, init, put, shutdown } from 'mobula';
import { anonymousBytes, sumAndMeasure } from '../support/measuring.js';

const MB = 1_000_000;

test('a process worker that sums an array of 800 MB has no copy of it, nor has the driver', async (t) => {
  init({ workers: 1, isolation: 'process', memory: '1GB' });
  t.teardown(() => shutdown());
  const small = await sumAndMeasure.remote(new Float64Array(1000).fill(1));
  const before = anonymousBytes();

  const ref = put(allocate(Float64Array, 100 * MB).fill(0.5));
  const large = await sumAndMeasure.remote(ref);

  t.is(large.sum, 50 * MB);
  t.is(large.pid, small.pid);
  t.true(large.anonymous - small.anonymous < 100 * MB, JSON.stringify({ small, large }));
  t.true(anonymousBytes() - before < 100 * MB);
  t.true(large.shared > 700 * MB, readFileSync('/proc/self/status', 'utf8'));
});
