/**
 * Much more data than memory, for as long as it takes: by the sizes of production with
 * MOBULA_LONG_TESTS.
 */
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { init, MobulaError, type ObjectRef, put, shutdown, stats } from 'mobula';
import {
  checkPattern,
  PatternHoarder,
  isPattern,
  makePattern,
  pattern,
} from '../support/patterns.js';
import { setHopeInWorker } from '../support/hope.js';
import { chooseSeed, Random } from '../support/random.js';
import { isolations, runtimeStore } from '../support/runtime.js';
import { spillFiles, spillPlace } from '../support/spilling.js';
import { untilCollected } from '../support/until.js';

const MB = 1_000_000;
const isLong = process.env.MOBULA_LONG_TESTS !== undefined;
const sizes = isLong
  ? { flow: 10_000 * MB, puts: 2_000 * MB, gets: 1000, objects: 1_000_000 }
  : { flow: 600 * MB, puts: 200 * MB, gets: 200, objects: 50_000 };
const wordBytes = Uint32Array.BYTES_PER_ELEMENT;
const patienceMs = 30 * 60_000;

test.afterEach.always(() => shutdown());

interface Made {
  readonly ref: ObjectRef<Uint32Array>;
  readonly length: number;
}

async function getRandomly(t: ExecutionContext, random: Random, all: Made[]): Promise<void> {
  for (let i = 0; i < sizes.gets; i++) {
    const n = random.below(all.length);
    const { ref, length } = all[n]!;
    const [here, there] = await Promise.all([ref, checkPattern.remote(ref, n, length)]);
    t.true(isPattern(here, n, length) && there, `array ${n}`);
  }
}

/** Nothing is left of what was dropped: no object, no pin, no file. */
async function isEmptied(t: ExecutionContext, place: string, declarations = 2): Promise<void> {
  await untilCollected('all is given back', () => {
    const { objects, pinnedObjects } = stats().store;
    return objects <= declarations && pinnedObjects === 0 && spillFiles(place).length === 0;
  });
  using store = runtimeStore();
  t.deepEqual(store.check(), { ok: true, problems: [] });
}

for (const isolation of isolations) {
  test.serial(
    `${sizes.flow / MB} MB flow in order through 64 MB, from tasks and puts to tasks [${isolation}]`,
    async (t) => {
      t.timeout(patienceMs);
      const place = await spillPlace(t);
      init({ workers: 2, isolation, memory: 64 * MB, spillDirectory: place });
      const length = MB / wordBytes;
      /** Twice the memory, made before any of it is taken. */
      const ahead = 128;
      const made: ObjectRef<Uint32Array>[] = [];
      const make = (n: number) =>
        n % 3 === 0 ? put(pattern(n, length)) : makePattern.remote(n, length);
      const take = async (n: number, ref: ObjectRef<Uint32Array>) => {
        using checked = checkPattern.remote(ref, n, length);
        t.true(await checked, `array ${n}`);
        ref[Symbol.dispose]();
      };
      let taken = 0;
      for (let n = 0; n < sizes.flow / MB; n++) {
        made.push(make(n));
        if (made.length > ahead) await take(taken++, made.shift()!);
      }
      for (const ref of made.splice(0)) await take(taken++, ref);
      const { spilled, restored } = stats().store;
      t.log({ spilled, restored });
      t.true(spilled > taken / 4 && restored > taken / 4);
      await isEmptied(t, place);
    },
  );

  test.serial(
    `random gets of ${sizes.puts / MB} MB put through 75 MB find every byte [${isolation}]`,
    async (t) => {
      t.timeout(patienceMs);
      const seed = chooseSeed();
      t.log(`MOBULA_SEED=${seed}`);
      const random = new Random(seed);
      const place = await spillPlace(t);
      init({ workers: 2, isolation, memory: 75 * MB, spillDirectory: place });
      const all: Made[] = [];
      for (let bytes = 0; bytes < sizes.puts;) {
        const length = 1 + random.below(random.of([100, 10_000, 1_000_000]));
        all.push({ ref: put(pattern(all.length, length)), length });
        bytes += length * wordBytes;
      }
      await getRandomly(t, random, all);
      t.true(stats().store.restored > 0);
      for (const { ref } of all.splice(0)) ref[Symbol.dispose]();
      await isEmptied(t, place);
    },
  );
}

for (const isolation of isolations) {
  test.serial(
    `a worker that never releases holds up no flow through the rest of the store [${isolation}]`,
    async (t) => {
      const place = await spillPlace(t);
      init({ workers: 2, isolation, memory: 16 * MB, spillDirectory: place });
      const length = MB / wordBytes;
      const hoarder = PatternHoarder.options({ isolation }).remote();
      for (let n = 0; n < 8; n++) {
        using ref = put(pattern(n, length));
        t.true(await hoarder.hoard(ref, n, length));
      }
      const refs = Array.from({ length: 64 }, (_, n) => makePattern.remote(n, length));
      for (const [n, ref] of refs.entries()) t.true(await checkPattern.remote(ref, n, length));
      t.true(await hoarder.areWhole());
    },
  );

  test.serial(
    `when the spill directory goes, values are right or lost, and the runtime goes on [${isolation}]`,
    async (t) => {
      const place = await spillPlace(t);
      init({ workers: 1, isolation, memory: 16 * MB, spillDirectory: place });
      await setHopeInWorker.remote(500);
      const length = MB / wordBytes;
      const refs = Array.from({ length: 64 }, (_, n) => makePattern.remote(n, length));
      await refs[32]!;
      await removeWhileUsed(place);
      const outcomes = await Promise.all(refs.map((ref, n) => outcomeOf(ref, n, length)));
      t.log(countOf(outcomes));
      t.true(outcomes.includes('MOBULA_OBJECT_LOST'));
      const expected = ['right', 'MOBULA_OBJECT_LOST', 'MOBULA_OUT_OF_DISK'];
      t.deepEqual(
        [...new Set(outcomes)].filter((one) => !expected.includes(one)),
        [],
      );
      for (const ref of refs.splice(0)) ref[Symbol.dispose]();
      for (let n = 0; n < 32; n++) {
        using ref = makePattern.remote(n, length);
        t.true(await checkPattern.remote(ref, n, length));
      }
    },
  );

  test.serial(
    `without a directory that can be written tasks fail for want of disk, and nothing is lost [${isolation}]`,
    async (t) => {
      const place = await spillPlace(t);
      const file = join(place, 'file');
      await writeFile(file, '');
      init({ workers: 1, isolation, memory: 16 * MB, spillDirectory: file });
      await setHopeInWorker.remote(500);
      const length = MB / wordBytes;
      const refs = Array.from({ length: 8 }, (_, n) => put(pattern(n, length)));
      const made = Array.from({ length: 16 }, (_, n) => makePattern.remote(n, length));
      const outcomes = await Promise.all(made.map((ref, n) => outcomeOf(ref, n, length)));
      t.log(countOf(outcomes));
      t.deepEqual([...new Set(outcomes)].sort(), ['MOBULA_OUT_OF_DISK', 'right']);
      for (const ref of made) ref[Symbol.dispose]();
      for (const [n, ref] of refs.entries()) t.is(await outcomeOf(ref, n, length), 'right');
    },
  );
}

/** Though files are added to its directories meanwhile. */
async function removeWhileUsed(place: string): Promise<void> {
  await rename(place, `${place}-gone`);
  await rm(`${place}-gone`, { recursive: true, maxRetries: 10 });
}

/** 'right', or the code of the error, or what it was instead. */
async function outcomeOf(ref: ObjectRef<Uint32Array>, n: number, length: number): Promise<string> {
  try {
    return (await checkPattern.remote(ref, n, length)) ? 'right' : 'wrong';
  } catch (error) {
    return error instanceof MobulaError ? error.code : String(error);
  }
}

function countOf(outcomes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

test.serial(`${sizes.objects} small objects go through 1 MiB and come back`, async (t) => {
  t.timeout(patienceMs);
  const place = await spillPlace(t);
  init({ workers: 1, memory: '1MiB', spillDirectory: place });
  const refs = Array.from({ length: sizes.objects }, (_, n) => put({ n }));
  t.true(stats().store.spilled > sizes.objects / 2);
  let wrong = 0;
  for (const [n, ref] of refs.entries()) if ((await ref).n !== n) wrong++;
  t.is(wrong, 0);
  for (const ref of refs.splice(0)) ref[Symbol.dispose]();
  await isEmptied(t, place);
});
