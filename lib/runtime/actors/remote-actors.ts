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
  readonly #questions = new Map<number, Listener>();
  readonly #listeners = new Map<number, Listener[]>();
  readonly #supervised = new Map<number, (death: Death) => void>();
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

  async stop({ index, generation }: ActorAddress): Promise<void> {
    await this.#ask((question) => ({ type: 'stopActor', question, index, generation }));
  }

  async kill({ index, generation }: ActorAddress, restart: boolean): Promise<void> {
    await this.#ask((question) => ({ type: 'killActor', question, index, generation, restart }));
  }

  supervise({ index, generation }: ActorAddress, onDown: (death: Death) => void): void {
    this.#supervised.set(keyOf({ index, generation }), onDown);
    this.#core.send({ type: 'superviseActor', index, generation }, this.#driver);
  }

  startChild({ index, generation }: ActorAddress): Promise<Death | undefined> {
    return this.#ask((question) => ({ type: 'startChild', question, index, generation }));
  }

  async endChild({ index, generation }: ActorAddress): Promise<void> {
    await this.#ask((question) => ({ type: 'endChild', question, index, generation }));
  }

  retireChild({ index, generation }: ActorAddress): void {
    this.#supervised.delete(keyOf({ index, generation }));
    this.#core.send({ type: 'retireChild', index, generation }, this.#driver);
  }

  #ask(messageFor: (question: number) => Message): Promise<Death | undefined> {
    const question = ++this.#lastQuestion;
    this.#core.hold();
    return new Promise((resolve) => {
      this.#questions.set(question, resolve);
      this.#core.send(messageFor(question), this.#driver);
    });
  }

  /** Whether actors have their supervisor in this thread. */
  get supervises(): boolean {
    return this.#supervised.size > 0;
  }

  /** False for what is no answer of the driver. */
  receive(message: Message): boolean {
    if (message.type === 'actorDone') this.#done(message.question, message.death ?? undefined);
    else if (message.type === 'childDown') this.#supervised.get(keyOf(message))?.(message.death);
    else if (message.type === 'actorEnded') this.#ended(message, message.death ?? undefined);
    else return false;
    return true;
  }

  #done(question: number, death?: Death): void {
    const resolve = this.#questions.get(question);
    if (resolve === undefined) return;
    this.#questions.delete(question);
    this.#core.unhold();
    resolve(death);
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
