import test from 'ava';
import type * as LimitModule from '../../lib/runtime/workers/memory-limit.js';
import { load } from '../support/internals.js';

const { MemoryLimit, lookMs } = (await load(
  'runtime/workers/memory-limit.js',
)) as typeof LimitModule;

/** A worker whose memory and clock the test sets. */
class Probe {
  bytes = 0;
  garbage = 0;
  time = 0;
  collectMs = 0;

  measure(): number {
    return this.bytes + this.garbage;
  }

  collect(): void {
    this.garbage = 0;
    this.time += this.collectMs;
  }

  now(): number {
    return this.time;
  }
}

test('a worker is above its limit when a collection does not help', (t) => {
  const probe = new Probe();
  const limit = new MemoryLimit(100, probe);
  probe.bytes = 101;
  t.is(limit.look(), 'above');
});

test('garbage is no reason to replace a worker', (t) => {
  const probe = new Probe();
  const limit = new MemoryLimit(100, probe);
  for (let i = 0; i < 3; i++) {
    probe.garbage = 1000;
    t.is(limit.look(), 'below');
    probe.time += lookMs;
  }
});

test('a worker measures itself now and then only', (t) => {
  const probe = new Probe();
  const limit = new MemoryLimit(100, probe);
  t.is(limit.look(), 'below');
  probe.bytes = 101;
  probe.time += lookMs - 1;
  t.is(limit.look(), 'unknown');
  probe.time += 1;
  t.is(limit.look(), 'above');
});

test('a worker with much garbage rests after it has collected it', (t) => {
  const probe = new Probe();
  const limit = new MemoryLimit(100, probe);
  probe.garbage = 1000;
  probe.collectMs = lookMs;
  t.is(limit.look(), 'below');
  probe.time += 8 * lookMs;
  t.is(limit.look(), 'unknown');
  probe.time += lookMs;
  t.is(limit.look(), 'below');
});
