import { stats } from 'mobula';
import { children } from './children.js';
import type { Random } from './random.js';

const killEveryMs = 200;

/** Until it is stopped, kills a worker at a time, a starting one too while another one is up. */
export class Killer {
  kills = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(random: Random) {
    this.#timer = setInterval(() => {
      if (stats().workers === 0) return;
      process.kill(random.of(children()), 'SIGKILL');
      this.kills++;
    }, killEveryMs);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
