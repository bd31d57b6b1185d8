import type { Core } from '../core.js';

/** They take threads of libuv's pool, which others need too; and room, of which there is little. */
const atMost = 2;

/** Objects on their way back from disk to readers of this thread, which goes on meanwhile. */
export class Restores {
  readonly #core: Core;
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Settles when the object is in memory, where its reader must open it at once; or cannot be. */
  bringBack(id: string): Promise<void> {
    const known = this.#underWay.get(id);
    if (known !== undefined) return known;
    const restored = this.#restore(id).finally(() => this.#underWay.delete(id));
    this.#underWay.set(id, restored);
    return restored;
  }

  async #restore(id: string): Promise<void> {
    if (this.#running === atMost) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#running++;
    try {
      await this.#core.objects.restore(id);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
