import type { Core } from '../core.js';

/** Between looks, at least so long, and so many times as long as a look takes. */
const lookMs = 2;
const lookShare = 20;

/** Calls `look` soon after the anchor of an actor may have gone: its last handle has. */
export class AnchorWatch {
  readonly #core: Core;
  readonly #look: () => void;
  #isWatching = false;
  #isResting = false;
  #isDue = false;
  #isClosed = false;

  constructor(core: Core, look: () => void) {
    this.#core = core;
    this.#look = look;
  }

  /** One watch tells of all anchors. */
  watch(anchor: string): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.#core.changes.overhear(anchor, () => this.lookSoon());
  }

  lookSoon(): void {
    this.#isDue = true;
    if (!this.#isResting) this.#rest(lookMs);
  }

  #rest(duration: number): void {
    if (this.#isClosed) return;
    this.#isResting = true;
    this.#core.timers.start(duration, () => {
      this.#isResting = false;
      if (!this.#isDue || this.#isClosed) return;
      this.#isDue = false;
      const start = performance.now();
      this.#look();
      this.#rest(lookShare * (performance.now() - start));
    });
  }

  close(): void {
    this.#isClosed = true;
  }
}
