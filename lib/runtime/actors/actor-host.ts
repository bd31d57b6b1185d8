import { TaskCancelledError } from '../../common/errors.js';
import type { InboxRecord, PeerAddress } from '../../transport/peer.js';
import type { Core } from '../core.js';
import { OwnerWatch } from '../tasks/owner-watch.js';
import { incomingOf, Responder } from '../tasks/responder.js';
import { RunningTask } from '../tasks/running-task.js';
import { Flag, readAttempt, readFlags, readKey } from '../tasks/task-spec.js';
import { actorIdOf } from './actor-handle.js';
import { Attribution } from './attribution.js';
import { HostedActor, type Surroundings } from './hosted-actor.js';
import { MethodRunner } from './method-runner.js';

const noDevices: readonly number[] = [];

/** The actors of one worker. */
export class ActorHost {
  readonly #with: Surroundings;
  readonly #owners: OwnerWatch;
  readonly #actors = new Map<number, HostedActor>();
  #called: HostedActor[] = [];

  constructor(core: Core) {
    const responder = new Responder(core);
    const attribution = new Attribution();
    const runner = new MethodRunner(core, responder, attribution);
    this.#with = { core, responder, attribution, runner };
    this.#owners = new OwnerWatch(
      core,
      () => this.#tasks(),
      (task) => runner.endEarly(task, new TaskCancelledError('The caller has ended')),
    );
  }

  receive(record: InboxRecord): void {
    const { inbox } = this.#with.core.peer;
    const { start, end } = record;
    const actor = this.#actorOf(record);
    const attempt = readAttempt(inbox, start);
    const task = new RunningTask(incomingOf(record), attempt, noDevices, actor.actorId);
    if ((readFlags(inbox, start) & Flag.construct) === 0) actor.receive(task, inbox, start, end);
    else {
      const payload = inbox.slice(start, end);
      actor.receiveConstruction({ task, key: readKey(inbox, start), payload });
    }
    this.#called.push(actor);
    this.#owners.start();
  }

  #actorOf({ actor: index, flags: generation }: InboxRecord): HostedActor {
    const known = this.#actors.get(index);
    if (known?.generation === generation) return known;
    const { attribution, core } = this.#with;
    const actorId = actorIdOf(core.storeId, { index, generation });
    const actor = new HostedActor(this.#with, generation, actorId);
    attribution.add(actorId);
    this.#actors.set(index, actor);
    return actor;
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

  /** In a handler of what nobody has caught: the actor whose code is to blame, if that is known. */
  get culprit(): string | undefined {
    return this.#with.attribution.culprit;
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

  /** Runs the stop hooks; what they throw is a warning. */
  async stop(): Promise<void> {
    this.#owners.stop();
    const stops = [...this.#actors.values()].map((actor) => actor.stop());
    for (const stop of await Promise.allSettled(stops)) {
      if (stop.status === 'rejected') process.emitWarning(stop.reason as Error);
    }
  }
}
