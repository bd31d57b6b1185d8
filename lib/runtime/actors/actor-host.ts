import { inspect } from 'node:util';
import { TaskCancelledError } from '../../common/errors.js';
import type { ActorOrder } from '../../transport/actor-message.js';
import type { InboxRecord, PeerAddress } from '../../transport/peer.js';
import { Op } from '../../transport/wire.js';
import type { Core } from '../core.js';
import { OwnerWatch } from '../tasks/owner-watch.js';
import { incomingOf, Responder } from '../tasks/responder.js';
import { RunningTask } from '../tasks/running-task.js';
import { keyOf } from './actor-address.js';
import { Attribution } from './attribution.js';
import { HostedActor, type Surroundings } from './hosted-actor.js';
import { MethodRunner } from './method-runner.js';

const noDevices: readonly number[] = [];

/** The actors of one worker, which its driver gives it and takes from it. */
export class ActorHost {
  readonly #with: Surroundings;
  readonly #owners: OwnerWatch;
  readonly #actors = new Map<number, HostedActor>();
  #called: HostedActor[] = [];

  /** One that `isAlone` has this worker for itself. */
  constructor(core: Core, isAlone: boolean) {
    const responder = new Responder(core);
    const attribution = new Attribution();
    const runner = new MethodRunner(core, responder, attribution);
    this.#with = { core, responder, attribution, runner, isAlone };
    this.#owners = new OwnerWatch(
      core,
      () => this.#tasks(),
      (task) => runner.endEarly(task, new TaskCancelledError('The caller has ended')),
    );
  }

  order(order: ActorOrder): void {
    const key = keyOf(order);
    if (order.type === 'construct') {
      const actor = new HostedActor(this.#with, order, () => this.#actors.delete(key));
      this.#actors.set(key, actor);
      this.#with.attribution.add(actor.actorId);
      actor.construct();
    } else if (order.type === 'evict') this.#evict(order);
    else this.#actors.get(key)?.retire();
  }

  #evict({ index, generation }: ActorOrder): void {
    this.#actors.get(keyOf({ index, generation }))?.evict();
    this.#with.core.toDriver({ type: 'left', index, generation });
  }

  receive(record: InboxRecord): void {
    const { actor: index, flags: generation, handle, devicesLow: begun, start, end } = record;
    const { peer } = this.#with.core;
    const actor = this.#actors.get(keyOf({ index, generation }));
    if (actor === undefined) {
      peer.reserve();
      peer.commit(Op.return, handle, 0, 0, 0, 0);
      return;
    }
    const task = new RunningTask(incomingOf(record), begun, noDevices, actor);
    actor.receive(task, peer.inbox, start, end);
    this.#called.push(actor);
    this.#owners.start();
  }

  /** Answers a call that runs or waits, and asks its code to end. Undefined when there is none. */
  cancel(owner: PeerAddress, sequence: number): RunningTask | undefined {
    for (const actor of this.#actors.values()) {
      const task = actor.find(owner, sequence);
      if (task === undefined) continue;
      this.#with.runner.endEarly(task, new TaskCancelledError('The call was cancelled'));
      return task;
    }
    return undefined;
  }

  /** As {@link Streams.taken}, for generator methods. */
  taken(reader: PeerAddress, sequence: number, count: number): void {
    this.#with.runner.streams.taken(reader, sequence, count);
  }

  get active(): number {
    let active = 0;
    for (const actor of this.#actors.values()) active += actor.active;
    return active;
  }

  /**
   * In a handler of what nobody has caught: ends the actor whose code is to blame, and lets the
   * others live. False when that cannot be told.
   */
  blame(error: unknown, what: string): boolean {
    const culprit = this.#culprit;
    if (culprit === undefined) return false;
    console.error(`The actor ${culprit.what} ends by an ${what}: ${inspect(error)}`);
    culprit.crashed(error, what);
    return true;
  }

  /** Of an actor whose code runs, what it is called. */
  get culpritName(): string | undefined {
    return this.#culprit?.what;
  }

  get #culprit(): HostedActor | undefined {
    const { culprit } = this.#with.attribution;
    if (culprit === undefined) return undefined;
    return [...this.#actors.values()].find(({ actorId }) => actorId === culprit);
  }

  *#tasks(): Generator<RunningTask> {
    for (const actor of this.#actors.values()) yield* actor.tasks();
  }

  /** Runs the actors that were called since the last time. */
  run(): void {
    if (this.#called.length === 0) return;
    const called = this.#called;
    this.#called = [];
    for (const actor of called) actor.run();
  }

  /** The worker ends: runs the stop hooks. */
  async stop(): Promise<void> {
    this.#owners.stop();
    await Promise.all([...this.#actors.values()].map((actor) => actor.runStopHook()));
  }
}
