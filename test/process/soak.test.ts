/** What days of work would do to memory, store and disk, compressed. */
import assert from 'node:assert/strict';
import test from 'ava';
import { init, put, shutdown, stats, type ObjectRef } from 'mobula';
import { anonymousBytes } from '../support/measuring.js';
import { checkPattern, isPattern, makePattern, pattern } from '../support/patterns.js';
import { chooseSeed, Random } from '../support/random.js';
import { isolations } from '../support/runtime.js';
import { spillFiles, spillPlace } from '../support/spilling.js';
import { echo } from '../support/tasks.js';
import { collectGarbage, until } from '../support/until.js';

const MiB = 1024 * 1024;
const isLong = process.env.MOBULA_LONG_TESTS !== undefined;
const rounds = isLong ? 84_000 : 1700;
/** Three small ones, two that read and mostly one that makes, twice. */
const tasksPerRound = 12;
const parts = 10;
/** The working set: more than the memory, so that some of it is always on disk. */
const kept = 160;
const memory = 8 * MiB;
const maxLength = 32_768;
/** What V8 and malloc need not give back. */
const slackBytes = 64 * MiB;

interface Kept {
  readonly ref: ObjectRef<Uint32Array>;
  readonly seed: number;
  readonly length: number;
}

interface Footprint {
  readonly anonymous: number;
  readonly objects: number;
  readonly bytes: number;
  readonly files: number;
}

class WorkingSet {
  readonly #random: Random;
  readonly #all: Kept[] = [];

  constructor(random: Random) {
    this.#random = random;
    while (this.#all.length < kept) this.#all.push(this.#make());
  }

  #make(): Kept {
    const seed = this.#random.below(1e9);
    const length = 1 + this.#random.below(maxLength);
    const isPut = this.#random.below(8) === 0;
    const ref = isPut ? put(pattern(seed, length)) : makePattern.remote(seed, length);
    return { ref, seed, length };
  }

  /** A round of tasks. */
  async turnOver(): Promise<void> {
    await this.#replaceOne();
    await this.#replaceOne();
  }

  /** Results and values are dropped by all the ways there are. */
  async #replaceOne(): Promise<void> {
    const n = this.#random.below(kept);
    const { ref, seed, length } = this.#all[n]!;
    const checks = [0, 1].map(() => checkPattern.remote(ref, seed, length));
    const echoes = [0, 1, 2].map((n) => echo.remote(n));
    for (const [i, one] of echoes.entries()) assert.equal(await one, i);
    for (const check of checks) assert.ok(await check);
    if (this.#random.below(8) === 0) assert.ok(isPattern(await ref, seed, length));
    for (const one of checks) one[Symbol.dispose]();
    if (this.#random.below(2) === 0) ref[Symbol.dispose]();
    this.#all[n] = this.#make();
  }

  async settle(): Promise<void> {
    for (const { ref, seed, length } of this.#all) {
      using check = checkPattern.remote(ref, seed, length);
      assert.ok(await check);
    }
  }
}

/** After the garbage has gone. */
async function footprint(place: string): Promise<Footprint> {
  const declarations = 8;
  await until('only the working set is left', () => {
    collectGarbage();
    return stats().store.objects <= kept + declarations && stats().store.pinnedObjects === 0;
  });
  const { objects, usedBytes } = stats().store;
  const files = spillFiles(place).length;
  return { anonymous: anonymousBytes(), objects, bytes: usedBytes, files };
}

for (const isolation of isolations) {
  test.serial(
    `soak: ${rounds * tasksPerRound} tasks on a constant working set take no more and more of anything [${isolation}]`,
    async (t) => {
      t.timeout(60 * 60_000);
      const seed = chooseSeed();
      t.log(`MOBULA_SEED=${seed}`);
      const place = await spillPlace(t);
      init({ workers: 2, isolation, memory, spillDirectory: place });
      t.teardown(() => shutdown());
      const set = new WorkingSet(new Random(seed));

      const footprints: Footprint[] = [];
      for (let part = 0; part < parts; part++) {
        for (let round = 0; round < rounds / parts; round++) await set.turnOver();
        await set.settle();
        footprints.push(await footprint(place));
      }

      t.log(footprints.map((one) => JSON.stringify(one)).join('\n'));
      const [first, last] = [footprints[0]!, footprints.at(-1)!];
      t.true(stats().store.spilled > kept && stats().store.restored > kept);
      t.true(last.anonymous <= first.anonymous + slackBytes);
      t.true(last.objects <= first.objects + 8);
      t.true(last.bytes <= memory);
      t.true(last.files <= 3 * first.files);
    },
  );
}
