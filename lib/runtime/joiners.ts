import { native } from '../store/binding.js';
import type { PeerAddress } from '../transport/peer.js';
import type { Core } from './core.js';

/** How often the owner of a runtime looks whether those that have joined it are there. */
const lookMs = 250;

/** The processes that have joined a runtime, as its owner knows them. */
export class Joiners {
  readonly #core: Core;
  readonly #onEnd: (joiner: PeerAddress) => void;
  #joiners: PeerAddress[] = [];

  constructor(core: Core, onEnd: (joiner: PeerAddress) => void) {
    this.#core = core;
    this.#onEnd = onEnd;
  }

  add(joiner: PeerAddress): void {
    this.#joiners.push(joiner);
    if (this.#joiners.length === 1) this.#lookLater();
  }

  has({ uid }: PeerAddress): boolean {
    return this.#joiners.some((joiner) => joiner.uid === uid);
  }

  /** The runtime ends. */
  dismiss(): void {
    for (const joiner of this.#joiners.splice(0)) this.#core.send({ type: 'closing' }, joiner);
  }

  #lookLater(): void {
    this.#core.timers.start(lookMs, () => this.#look());
  }

  #look(): void {
    const { handle } = this.#core.peer;
    const isLive = ({ slot, uid }: PeerAddress) => native.peerIsLive(handle, slot, uid);
    const ended = this.#joiners.filter((joiner) => !isLive(joiner));
    this.#joiners = this.#joiners.filter((joiner) => !ended.includes(joiner));
    if (this.#joiners.length > 0) this.#lookLater();
    for (const joiner of ended) this.#onEnd(joiner);
  }
}
