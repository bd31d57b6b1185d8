import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { PeerAddress } from '../../transport/peer.js';
import type { Core } from '../core.js';

/** How long workers keep what they have measured. */
const delayMs = 50;
/** As many as fit a message. */
const mostSamples = 200;

/** Takes how long tasks have waited and run, in milliseconds. */
export interface TaskTimes {
  add(wait: number, run: number): void;
}

/** Milliseconds of a clock that all threads and processes of the machine share. */
export function sharedClock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** In the driver: histograms of nanoseconds, as those of perf_hooks are. */
export class TaskHistograms implements TaskTimes {
  readonly wait = createHistogram();
  readonly run = createHistogram();

  add(wait: number, run: number): void {
    record(this.wait, wait);
    record(this.run, run);
  }
}

/** It takes no zeros. */
function record(histogram: RecordableHistogram, ms: number): void {
  histogram.record(Math.max(1, Math.round(ms * 1e6)));
}

/** In a worker: tells the driver, several tasks at a time. */
export class ReportedTimes implements TaskTimes {
  readonly #core: Core;
  readonly #driver: PeerAddress;
  #samples: number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(core: Core, driver: PeerAddress) {
    this.#core = core;
    this.#driver = driver;
    core.onEnd.add(() => clearTimeout(this.#timer));
  }

  add(wait: number, run: number): void {
    this.#samples.push(wait, run);
    if (this.#samples.length >= 2 * mostSamples) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), delayMs);
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const times = this.#samples;
    this.#samples = [];
    if (!this.#core.isClosed) this.#core.send({ type: 'times', times }, this.#driver);
  }
}
