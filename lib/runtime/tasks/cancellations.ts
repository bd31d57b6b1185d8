import { native } from '../../store/binding.js';
import type { Message } from '../../transport/message.js';
import type { PeerAddress } from '../../transport/peer.js';
import type { Core } from '../core.js';
import { PeerIds } from '../objects/ids.js';
import type { CancelOptions } from './requests.js';

type Asked = Extract<Message, { type: 'cancelRef' }>;
type Answered = Extract<Message, { type: 'cancelled' }>;

interface Question {
  readonly resolve: (wasCancelled: boolean) => void;
  stopWatch: () => void;
}

/** How often the life of whoever should answer is looked at. */
const watchMs = 250;

/** Cancels what somebody else has submitted, by asking its owner. */
export class Cancellations {
  readonly #core: Core;
  readonly #questions = new Map<number, Question>();
  #last = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Resolves to false when the owner has gone. */
  ask(id: string, options: CancelOptions): Promise<boolean> {
    const core = this.#core;
    const owner = core.findPeer(PeerIds.issuerOf(id));
    if (owner === undefined) return Promise.resolve(false);
    const question = ++this.#last;
    core.send({ type: 'cancelRef', question, sequence: PeerIds.sequenceOf(id), ...options }, owner);
    core.hold();
    return new Promise((resolve) => {
      this.#questions.set(question, { resolve, stopWatch: () => undefined });
      this.#watch(question, owner);
    });
  }

  #watch(question: number, owner: PeerAddress): void {
    const open = this.#questions.get(question)!;
    open.stopWatch = this.#core.timers.start(watchMs, () => {
      const { peer } = this.#core;
      if (native.peerIsLive(peer.handle, owner.slot, owner.uid)) this.#watch(question, owner);
      else this.#settle(question, false);
    });
  }

  #settle(question: number, wasCancelled: boolean): void {
    const open = this.#questions.get(question);
    if (open === undefined) return;
    this.#questions.delete(question);
    open.stopWatch();
    this.#core.unhold();
    open.resolve(wasCancelled);
  }

  answer({ question, sequence, force, recursive }: Asked, to: PeerAddress): void {
    const answer = this.#core.requests.cancel(sequence, { force, recursive });
    this.#core.send({ type: 'cancelled', question, answer }, to);
  }

  answered({ question, answer }: Answered): void {
    this.#settle(question, answer);
  }

  close(): void {
    for (const question of [...this.#questions.keys()]) this.#settle(question, false);
  }
}
