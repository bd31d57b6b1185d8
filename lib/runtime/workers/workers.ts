import { WorkerCrashedError } from '../../common/errors.js';
import { native } from '../../store/binding.js';
import type { PeerAddress } from '../../transport/peer.js';
import { RunQueue } from '../../transport/wire.js';
import type { ActorAddress } from '../actors/actor-handle.js';
import type { ActorIsolation, WorkerIsolation } from '../context.js';
import type { Core } from '../core.js';
import { Enforcer } from './enforcer.js';
import type { WorkerConfig } from './worker-config.js';
import { startWorker, type WorkerHandle } from './worker-handle.js';

/** A worker that ends before it was ready this often in a row will not start next time either. */
const maxFailedStarts = 3;

type Role = 'tasks' | ActorIsolation;

class Member {
  readonly number: number;
  readonly role: Role;
  readonly isolation: WorkerIsolation;
  handle!: WorkerHandle;
  /** Known once it is ready. */
  address: PeerAddress | undefined;
  readonly actors: ActorAddress[] = [];

  constructor(number: number, role: Role, isolation: WorkerIsolation) {
    this.number = number;
    this.role = role;
    this.isolation = isolation;
  }
}

/**
 * The workers of a runtime, started by its driver when there is work for them and replaced when they
 * die. Task workers take their tasks from a run queue; actors are placed on hosts by the driver.
 */
export class Workers {
  readonly #core: Core;
  readonly #limit: number;
  readonly #taskIsolation: WorkerIsolation;
  readonly #members = new Map<number, Member>();
  readonly #taskWorkers = { thread: 0, process: 0 };
  readonly #failedStarts = { thread: 0, process: 0 };
  /** Task workers whose thread a task blocks: others stand in for them. */
  readonly #blocked = { thread: 0, process: 0 };
  readonly #enforcer: Enforcer;
  #nextNumber = 1;
  #stopping: (() => void) | undefined;

  /** At most `limit` task workers of either isolation, and as many shared hosts. */
  constructor(core: Core, limit: number, taskIsolation: WorkerIsolation) {
    this.#core = core;
    this.#enforcer = new Enforcer(core, (worker) => this.#end(worker));
    this.#limit = limit;
    this.#taskIsolation = taskIsolation;
    core.requests.onRequest = ({ queue }) => {
      if (queue !== undefined && this.#mayHelp(queue)) this.#demand(queue);
    };
    core.onMessage = (message, from) => {
      if (message.type === 'ready') this.#ready(message.worker, from);
      else if (message.type === 'demand') this.#demand(message.queue);
      else if (message.type === 'host') this.placeActor(message, message.isolation);
      else if (message.type === 'blocked') this.#blockedChanged(message.queue, message.change);
      else if (message.type === 'enforce') this.#enforcer.enforce(message);
      else if (message.type === 'relax') this.#enforcer.relax(message.worker, message.task);
    };
  }

  get size(): number {
    return this.#members.size;
  }

  /** Whether there are more requests than workers to take them. */
  #mayHelp(queue: number): boolean {
    return this.#taskWorkers[isolationOf(queue)] <= this.#core.requests.pending;
  }

  /** There is work on a run queue: one more worker for it, if there may be. */
  #demand(queue: number): void {
    const isolation = isolationOf(queue);
    const limit = this.#limit + this.#blocked[isolation];
    if (this.#stopping !== undefined || this.#taskWorkers[isolation] >= limit) return;
    this.#start('tasks', isolation);
  }

  #blockedChanged(queue: number, change: 1 | -1): void {
    this.#blocked[isolationOf(queue)] += change;
    if (change > 0) this.#demand(queue);
  }

  #end(worker: PeerAddress): void {
    for (const { address, handle } of this.#members.values()) {
      if (address?.slot === worker.slot && address.uid === worker.uid) handle.kill();
    }
  }

  /** For a driver that is blocked, whom the ends of workers are not told. */
  watchEnds(): void {
    for (const member of [...this.#members.values()]) {
      const { address } = member;
      if (address === undefined) continue;
      const { handle } = this.#core.peer;
      if (!native.peerIsLive(handle, address.slot, address.uid)) this.#ended(member, 'it died');
    }
  }

  placeActor({ index, generation }: ActorAddress, isolation: ActorIsolation): void {
    const host = isolation === 'shared' ? this.#sharedHost() : this.#start(isolation, isolation);
    const address = { index, generation };
    host.actors.push(address);
    if (host.address !== undefined) this.#host(address, host.address);
  }

  #host({ index, generation }: ActorAddress, host: PeerAddress): void {
    if (!this.#core.hostActor(index, generation, host)) this.#core.endActor(index, generation);
  }

  /** The host with the fewest actors, or a new one while there may be more hosts. */
  #sharedHost(): Member {
    const hosts = [...this.#members.values()].filter(({ role }) => role === 'shared');
    const [first, ...others] = hosts;
    if (first === undefined) return this.#start('shared', 'thread');
    const best = others.reduce((a, b) => (b.actors.length < a.actors.length ? b : a), first);
    const isFree = best.actors.length === 0;
    return isFree || hosts.length >= this.#limit ? best : this.#start('shared', 'thread');
  }

  #start(role: Role, isolation: WorkerIsolation): Member {
    const member = new Member(this.#nextNumber++, role, isolation);
    this.#members.set(member.number, member);
    if (role === 'tasks') this.#taskWorkers[isolation]++;
    member.handle = startWorker(this.#configOf(member), (reason) => this.#ended(member, reason));
    return member;
  }

  #configOf({ number, role, isolation }: Member): WorkerConfig {
    const { store, peer } = this.#core;
    const [pid, fd, storeId] = native.storeHandle(store);
    return {
      worker: number,
      isolation,
      role,
      slots: role === 'tasks' ? 1 : 0,
      taskIsolation: this.#taskIsolation,
      store: { pid, fd, storeId },
      driver: peer.address,
      driverPid: process.pid,
      driverClient: native.clientIdentity(store),
    };
  }

  #ready(number: number, address: PeerAddress): void {
    const member = this.#members.get(number);
    if (member === undefined) return;
    member.address = address;
    this.#failedStarts[member.isolation] = 0;
    if (this.#stopping !== undefined) this.#core.send({ type: 'stop' }, address);
    for (const actor of member.actors) this.#host(actor, address);
  }

  #ended(member: Member, reason: string): void {
    if (!this.#members.delete(member.number)) return;
    if (member.role === 'tasks') this.#taskWorkers[member.isolation]--;
    if (this.#stopping !== undefined) {
      if (this.#members.size === 0) this.#stopping();
      return;
    }
    // What it was running comes back to its senders now, not with the next tick of a keeper.
    native.storeReap(this.#core.store);
    this.#core.peer.schedule();
    if (member.address === undefined) this.#startFailed(member, reason);
    if (member.role === 'tasks' && this.#core.requests.pending > 0) {
      this.#demand(RunQueue[member.isolation]);
    }
  }

  #startFailed({ isolation, role, actors }: Member, reason: string): void {
    for (const { index, generation } of actors) this.#core.endActor(index, generation);
    if (role !== 'tasks' || ++this.#failedStarts[isolation] < maxFailedStarts) return;
    this.#failedStarts[isolation] = 0;
    const message = `No ${isolation} worker starts; the last one ended with: ${reason}`;
    this.#core.requests.fail(new WorkerCrashedError(message), RunQueue[isolation]);
  }

  /** Asks all workers to end, and ends those that have not by the deadline. */
  async stop(timeout: number): Promise<void> {
    if (this.#members.size === 0) return;
    const ended = new Promise<void>((resolve) => {
      this.#stopping = resolve;
    });
    for (const { address, handle } of this.#members.values()) {
      handle.keepAlive(true);
      if (address !== undefined) this.#core.send({ type: 'stop' }, address);
      else handle.kill();
    }
    const timer = setTimeout(() => {
      for (const { handle } of this.#members.values()) handle.kill();
    }, timeout);
    await ended;
    clearTimeout(timer);
  }
}

function isolationOf(queue: number): WorkerIsolation {
  return queue === RunQueue.process ? 'process' : 'thread';
}
