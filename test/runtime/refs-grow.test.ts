import test from 'ava';
import { put, type ObjectRef } from 'mobula';
import type * as GrowthModule from '../../lib/runtime/memory-watch/growth.js';
import { load } from '../support/internals.js';
import { Machine, startOn } from '../support/machine.js';
import { isolations } from '../support/runtime.js';
import { MiB } from '../support/stores.js';
import { makeArray } from '../support/tasks.js';
import { warningsOf } from '../support/warnings.js';
import { until } from '../support/until.js';

const { Growth } = (await load('runtime/memory-watch/growth.js')) as typeof GrowthModule;

/** Which of the samples, of a memory of 100, proves that they grow. */
function provenAt(samples: readonly number[]): number {
  const growth = new Growth(100);
  const proofs = samples.flatMap((bytes, index) => (growth.isProvenBy(bytes) ? [index] : []));
  if (proofs.length > 1) throw new Error('told more than once');
  return proofs[0] ?? -1;
}

const many = Array.from({ length: 400 }, (_, index) => index);

test('growth is told once, after twenty steps above half of the memory', (t) => {
  t.is(provenAt(many), 70);
  t.is(provenAt(many.slice(60)), 19);
  t.is(provenAt(many.slice(0, 70)), -1);
});

test('slow growth is told, too', (t) => {
  t.true(provenAt(many.map((index) => 45 + index / 8)) > 0);
});

test('a steady state is no growth', (t) => {
  t.is(provenAt(many.map(() => 95)), -1);
  t.is(provenAt(many.map((index) => 80 + (index % 3))), -1);
});

test('what goes up and down is no growth, even while it rises', (t) => {
  t.is(provenAt(many.map((index) => 60 + 30 * Math.cos(index / 30))), -1);
  t.is(provenAt(many.map((index) => 40 + index / 8 - (index % 10 === 0 ? 4 : 0))), -1);
});

test('what fills up and stays is no growth', (t) => {
  t.is(provenAt([10, 40, 70, 95, ...many.map(() => 95)]), -1);
});

for (const isolation of isolations) {
  test.serial(
    `refs that only grow are warned of, with where they were made [${isolation}]`,
    async (t) => {
      const warnings = warningsOf(t, 'MOBULA_REFS_GROW');
      const { leakWatch } = startOn(t, new Machine(), {
        workers: 1,
        isolation,
        trackCallSites: true,
      });
      const kept: ObjectRef[] = [];
      for (let i = 0; i < 54; i++) {
        kept.push(i % 5 === 0 ? put(new Uint8Array(MiB)) : makeArray.remote(MiB / 8, 1));
        await kept.at(-1);
        leakWatch.sample();
      }
      await until('there is a warning', () => warnings.length > 0);
      t.is(warnings.length, 1);
      t.regex(warnings[0]!, /\d+ MiB of 64 MiB, in \d+ objects/);
      t.regex(warnings[0]!, /\d+ MiB at .*refs-grow\.test\.[jt]s:\d+:\d+; \d+ MiB at .*refs-grow/);
    },
  );
}

test.serial('refs that come and go are not warned of', async (t) => {
  const warnings = warningsOf(t, 'MOBULA_REFS_GROW');
  const { leakWatch } = startOn(t, new Machine(), { workers: 1, isolation: 'thread' });
  const kept: ObjectRef[] = [];
  for (let i = 0; i < 40; i++) {
    kept.push(put(new Uint8Array(3 * MiB)));
    if (kept.length > 13) kept.shift()![Symbol.dispose]();
    leakWatch.sample();
  }
  await new Promise(setImmediate);
  t.deepEqual(warnings, []);
});
