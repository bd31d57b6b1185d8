import type { Message } from '../../transport/message.js';
import type { PeerAddress } from '../../transport/peer.js';
import type { Core } from '../core.js';
import { keyOf, type ActorAddress } from './actor-address.js';
import type { ActorControl, Death, Placement } from './actor-control.js';

/** How long the word of an actor's end may take to come. */
const patienceMs = 2000;

type Listener = (death: Death | undefined) => void;

/** The driver's actors for those who are not the driver: they ask it. */
export class RemoteActors implements ActorControl {
  readonly #core: Core;
  readonly #driver: PeerAddress;
  readonly #questions = new Map<number, () => void>();
  readonly #listeners = new Map<number, Listener[]>();
  #lastQuestion = 0;

  constructor(core: Core, driver: PeerAddress) {
    this.#core = core;
    this.#driver = driver;
  }

  /** At once: whoever makes a detached actor may end right after. */
  place(placement: Placement): void {
    this.#core.send({ type: 'place', ...placement }, this.#driver);
    if (placement.isDetached) this.#core.peer.flush();
  }

  stop({ index, generation }: ActorAddress): Promise<void> {
    return this.#ask((question) => ({ type: 'stopActor', question, index, generation }));
  }

  kill({ index, generation }: ActorAddress, restart: boolean): Promise<void> {
    return this.#ask((question) => ({ type: 'killActor', question, index, generation, restart }));
  }

  #ask(messageFor: (question: number) => Message): Promise<void> {
    const question = ++this.#lastQuestion;
    this.#core.hold();
    return new Promise((resolve) => {
      this.#questions.set(question, resolve);
      this.#core.send(messageFor(question), this.#driver);
    });
  }

  /** False for what is no answer of the driver. */
  receive(message: Message): boolean {
    if (message.type === 'actorDone') this.#done(message.question);
    else if (message.type === 'actorEnded') this.#ended(message, message.death ?? undefined);
    else return false;
    return true;
  }

  #done(question: number): void {
    const resolve = this.#questions.get(question);
    if (resolve === undefined) return;
    this.#questions.delete(question);
    this.#core.unhold();
    resolve();
  }

  whyEnded(actor: ActorAddress, listener: Listener): void {
    const key = keyOf(actor);
    const known = this.#listeners.get(key);
    if (known !== undefined) {
      known.push(listener);
      return;
    }
    this.#listeners.set(key, [listener]);
    const { index, generation } = actor;
    this.#core.send({ type: 'whyActor', index, generation }, this.#driver);
    this.#core.timers.start(patienceMs, () => this.#ended(actor, undefined));
  }

  #ended(actor: ActorAddress, death: Death | undefined): void {
    const key = keyOf(actor);
    const listeners = this.#listeners.get(key) ?? [];
    this.#listeners.delete(key);
    for (const listener of listeners) listener(death);
  }

  /** Nothing will be answered any more: the runtime has ended, and with it all actors. */
  close(): void {
    for (const question of [...this.#questions.keys()]) this.#done(question);
  }
}
