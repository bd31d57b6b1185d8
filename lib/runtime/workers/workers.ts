import { WorkerCrashedError } from '../../common/errors.js';
import { native } from '../../store/binding.js';
import type { Message } from '../../transport/message.js';
import type { PeerAddress } from '../../transport/peer.js';
import { RunQueue, TaskFlag } from '../../transport/wire.js';
import type { Directed, Host, Hosts } from '../actors/directed.js';
import { Director } from '../actors/director.js';
import type { ActorIsolation, WorkerIsolation } from '../context.js';
import type { Core } from '../core.js';
import { channels, type WorkerEvent } from '../diagnostics.js';
import { MemoryWatch, type BusyProcess } from '../memory-watch/memory-watch.js';
import type { MemoryReader } from '../memory-watch/system-memory.js';
import { Enforcer } from './enforcer.js';
import type { WorkerConfig } from './worker-config.js';
import { startWorker, type WorkerHandle } from './worker-handle.js';
import type { WorkerOutput } from './worker-output.js';

/**
 * A worker that ends before it was ready this often in a row, with none up, will not start next
 * time either.
 */
const maxFailedStarts = 3;
/** How long after its peer a process may take to end. */
const exitMs = 1000;

type Role = 'tasks' | ActorIsolation;

class Member implements Host {
  readonly number: number;
  readonly role: Role;
  readonly isolation: WorkerIsolation;
  handle!: WorkerHandle;
  /** Known once it is ready. */
  address: PeerAddress | undefined;
  /** What it said itself of its end. */
  lastWords: string | undefined;
  /** When its peer was found to have ended, by a blocked driver. */
  missedAt: number | undefined;
  readonly actors = new Set<Directed>();

  constructor(number: number, role: Role, isolation: WorkerIsolation) {
    this.number = number;
    this.role = role;
    this.isolation = isolation;
  }
}

export interface WorkersOptions {
  /** At most so many task workers of either isolation, and as many shared hosts. */
  readonly limit: number;
  /** What a task worker is unless the task says otherwise. */
  readonly taskIsolation: WorkerIsolation;
  /** Of the runtime. */
  readonly address: string;
  /** Their output is to be written by this thread, line by line. */
  readonly log: boolean;
  readonly trackCallSites: boolean;
  readonly trackTaskTimes: boolean;
  /** A task worker with more bytes of its own ends when it is idle. */
  readonly memoryLimit: number | undefined;
  /** Bytes. */
  readonly argumentsAtMost: number;
}

/**
 * The workers of a runtime, started by its driver when there is work for them and replaced when
 * they die. Task workers take their tasks from a run queue; actors are placed on hosts by the
 * driver.
 *
 * Each submission of the driver starts a task worker as long as there are no more of them than
 * requests: one stands by ahead of need. Each of the others starts one.
 */
export class Workers implements Hosts {
  readonly #core: Core;
  readonly #options: WorkersOptions;
  readonly #members = new Map<number, Member>();
  readonly #outputs = new Set<WorkerOutput>();
  readonly #taskWorkers = { thread: 0, process: 0 };
  readonly #failedStarts = { thread: 0, process: 0 };
  /** Who has asked for workers, and may be waiting for the first one. */
  readonly #demanders: Record<WorkerIsolation, Map<number, PeerAddress>> = {
    thread: new Map(),
    process: new Map(),
  };
  readonly #finishOutput = () => {
    for (const output of this.#outputs) output.finish();
  };
  /** Task workers whose thread a task blocks: others stand in for them. */
  readonly #blocked = { thread: 0, process: 0 };
  readonly #enforcer: Enforcer;
  readonly #memoryWatch: MemoryWatch;
  readonly director: Director;
  #nextNumber = 1;
  #stopping: (() => void) | undefined;

  constructor(core: Core, options: WorkersOptions, memory: MemoryReader) {
    this.#core = core;
    this.#memoryWatch = new MemoryWatch(core, memory, {
      busy: () => this.#busyProcesses(),
      pids: () => this.#pids(),
      end: ({ address }, reason) => this.#end(address, reason),
      resume: () => this.#demandForQueued(),
    });
    this.#enforcer = new Enforcer(core, (worker, reason) => this.#end(worker, reason));
    this.#options = options;
    this.director = new Director(core, this);
    core.requests.onRequest = ({ queue }) => {
      if (queue !== undefined && this.#mayHelp(queue)) this.#demand(queue);
    };
    if (options.log) process.on('exit', this.#finishOutput);
  }

  /** A worker, or a process that has joined, says something. */
  receive(message: Message, from: PeerAddress): void {
    switch (message.type) {
      case 'ready':
        this.#ready(message.worker, from);
        break;
      case 'ending': {
        const member = this.#members.get(message.worker);
        if (member !== undefined) member.lastWords = message.reason;
        break;
      }
      case 'retiring':
        // What it has said before has been heard by now.
        this.#core.send({ type: 'stop' }, from);
        break;
      case 'demand':
        this.#demanders[isolationOf(message.queue)].set(from.uid, from);
        this.#demand(message.queue, message.tasks);
        break;
      case 'blocked':
        this.#blocked[isolationOf(message.queue)] += message.change;
        if (message.change > 0) this.#demand(message.queue);
        break;
      case 'enforce':
        this.#enforcer.enforce(message);
        break;
      case 'relax':
        this.#enforcer.relax(message.worker, message.task);
        break;
      case 'times':
        for (let i = 0; i < message.times.length; i += 2) {
          this.#core.taskTimes?.add(message.times[i]!, message.times[i + 1]!);
        }
        break;
      case 'why':
        this.#core.ends.reasonOf(message.uid, (reason) => {
          if (reason === undefined || this.#stopping !== undefined) return;
          this.#core.send({ type: 'ended', uid: message.uid, reason }, from);
        });
    }
  }

  /** Whether there are more requests than workers to take them. */
  #mayHelp(queue: number): boolean {
    return this.#taskWorkers[isolationOf(queue)] <= this.#core.requests.pending;
  }

  /** There is work on a run queue: as many more workers for it, as far as there may be. */
  #demand(queue: number, tasks = 1): void {
    if (this.#stopping !== undefined) return;
    const isolation = isolationOf(queue);
    const most = isolation === 'process' ? this.#memoryWatch.capacity : Infinity;
    const limit = Math.min(this.#options.limit, most) + this.#blocked[isolation];
    const wanted = Math.min(tasks, limit - this.#taskWorkers[isolation]);
    for (let i = 0; i < wanted; i++) this.#start('tasks', isolation);
  }

  /** Tasks that no worker was started for, because memory was short. */
  #demandForQueued(): void {
    const [queued] = native.peerCounts(this.#core.peer.handle);
    this.#demand(RunQueue.process, queued);
  }

  #busyProcesses(): BusyProcess[] {
    const { handle } = this.#core.peer;
    const busy: BusyProcess[] = [];
    for (const { address, handle: worker, role } of this.#members.values()) {
      if (role !== 'tasks' || worker.pid === undefined || address === undefined) continue;
      const tasks = native
        .peerTasksAt(handle, address.slot, address.uid)
        .map(([slot, uid, sequence, order, flags]) => ({
          owner: { slot, uid },
          sequence,
          order,
          mayRunAgain: (flags & TaskFlag.mayRunAgain) !== 0,
        }));
      if (tasks.length > 0) busy.push({ address, pid: worker.pid, tasks });
    }
    return busy;
  }

  #pids(): number[] {
    return [...this.#members.values()].flatMap(({ handle }) => handle.pid ?? []);
  }

  #end(worker: PeerAddress, reason: string): void {
    for (const member of this.#members.values()) {
      const { address } = member;
      if (address?.slot !== worker.slot || address.uid !== worker.uid) continue;
      member.lastWords ??= reason;
      member.handle.kill();
    }
  }

  /** Tasks of somebody who has ended are of no use: what runs them ends them, or is ended. */
  ownerEnded(owner: PeerAddress): void {
    const tasks = native.peerTasksOf(this.#core.peer.handle, owner.uid);
    for (const [slot, uid, sequence] of tasks) {
      this.#enforcer.enforce({ worker: { slot, uid }, task: { owner, sequence }, within: 0 });
    }
  }

  /** For a driver that blocks its event loop, which is told of nothing meanwhile. */
  lookAfter(): void {
    this.drainOutput();
    this.director.admit();
    for (const member of [...this.#members.values()]) {
      const { address } = member;
      if (address === undefined) continue;
      const { handle } = this.#core.peer;
      if (native.peerIsLive(handle, address.slot, address.uid)) continue;
      const reason = reasonOfEnd(member);
      if (reason !== undefined) this.#ended(member, reason);
    }
  }

  hostFor(isolation: ActorIsolation): Host {
    return isolation === 'shared' ? this.#sharedHost() : this.#start(isolation, isolation);
  }

  endHost(host: Host, reason: string): void {
    const member = this.#memberOf(host);
    if (member === undefined) return;
    member.lastWords ??= reason;
    member.handle.kill();
  }

  dismissHost(host: Host): void {
    const member = this.#memberOf(host);
    if (member === undefined) return;
    if (member.address === undefined) member.handle.kill();
    else this.#core.send({ type: 'stop' }, member.address);
  }

  /** Undefined when it has ended. */
  #memberOf(host: Host): Member | undefined {
    return host instanceof Member && this.#members.has(host.number) ? host : undefined;
  }

  /** The host with the fewest actors, or a new one while there may be more hosts. */
  #sharedHost(): Member {
    const hosts = [...this.#members.values()].filter(({ role }) => role === 'shared');
    const [first, ...others] = hosts;
    if (first === undefined) return this.#start('shared', 'thread');
    const best = others.reduce((a, b) => (b.actors.size < a.actors.size ? b : a), first);
    const isFree = best.actors.size === 0;
    return isFree || hosts.length >= this.#options.limit ? best : this.#start('shared', 'thread');
  }

  #start(role: Role, isolation: WorkerIsolation): Member {
    const member = new Member(this.#nextNumber++, role, isolation);
    this.#members.set(member.number, member);
    if (role === 'tasks') this.#taskWorkers[isolation]++;
    if (isolation === 'process') this.#memoryWatch.start();
    member.handle = startWorker(this.#configOf(member), (reason) => this.#ended(member, reason));
    if (channels.worker.started.hasSubscribers) channels.worker.started.publish(eventOf(member));
    const { output } = member.handle;
    if (output !== undefined) {
      this.#outputs.add(output);
      void output.ended.then(() => this.#outputs.delete(output));
    }
    return member;
  }

  #configOf({ number, role, isolation }: Member): WorkerConfig {
    const { store, peer } = this.#core;
    const { memoryLimit, argumentsAtMost } = this.#options;
    const [pid, fd, storeId] = native.storeHandle(store);
    return {
      worker: number,
      isolation,
      role,
      slots: role === 'tasks' ? 1 : 0,
      taskIsolation: this.#options.taskIsolation,
      address: this.#options.address,
      store: { pid, fd, storeId },
      driver: peer.address,
      driverPid: process.pid,
      log: this.#options.log,
      trackCallSites: this.#options.trackCallSites,
      trackTaskTimes: this.#options.trackTaskTimes,
      argumentsAtMost,
      ...(role === 'tasks' && memoryLimit !== undefined && { memoryLimit }),
    };
  }

  #ready(number: number, address: PeerAddress): void {
    const member = this.#members.get(number);
    if (member === undefined) return;
    member.address = address;
    this.#failedStarts[member.isolation] = 0;
    if (member.role === 'tasks') this.#demanders[member.isolation].clear();
    if (this.#stopping !== undefined) this.#core.send({ type: 'stop' }, address);
    if (member.role !== 'tasks') this.director.hostReady(member);
  }

  #ended(member: Member, reason: string): void {
    // Its last words may be in the mailbox, and so may the word that it was ready.
    this.#core.peer.exchange();
    if (!this.#members.delete(member.number)) return;
    if (member.role === 'tasks') this.#taskWorkers[member.isolation]--;
    const why = member.lastWords ?? reason;
    if (channels.worker.ended.hasSubscribers) {
      channels.worker.ended.publish({ ...eventOf(member), reason: why } satisfies WorkerEvent);
    }
    if (this.#stopping !== undefined) {
      if (this.#members.size === 0) this.#stopping();
      return;
    }
    if (member.address !== undefined) {
      this.#core.ends.add(member.address.uid, why);
      this.ownerEnded(member.address);
      this.director.ownerEnded(member.address);
    }
    // What it was running comes back to its senders now, not with the next tick of a keeper.
    native.storeReap(this.#core.store);
    this.#core.peer.schedule();
    if (member.address === undefined) this.#startFailed(member, why);
    else this.#memoryWatch.ended(member.address.uid);
    this.director.hostEnded(member, why);
    if (member.role === 'tasks' && this.#isMissed(member)) {
      this.#demand(RunQueue[member.isolation]);
    }
  }

  /** Whoever has submitted what it would have taken may have no reason to ask for another one. */
  #isMissed({ address, isolation }: Member): boolean {
    if (address !== undefined || this.#core.requests.pending > 0) return true;
    return this.#demanders[isolation].size > 0;
  }

  #startFailed({ isolation, role }: Member, why: string): void {
    if (role !== 'tasks' || this.#isServed(isolation)) return;
    if (++this.#failedStarts[isolation] < maxFailedStarts) return;
    this.#failedStarts[isolation] = 0;
    const reason = `No ${isolation} worker starts; the last one ended with: ${why}`;
    const queue = RunQueue[isolation];
    for (const demander of this.#demanders[isolation].values()) {
      this.#core.send({ type: 'starved', queue, reason }, demander);
    }
    this.#demanders[isolation].clear();
    this.#core.requests.fail(new WorkerCrashedError(reason), queue);
  }

  /** Whether a task worker is up. */
  #isServed(isolation: WorkerIsolation): boolean {
    const members = [...this.#members.values()];
    return members.some(
      (member) =>
        member.role === 'tasks' && member.isolation === isolation && member.address !== undefined,
    );
  }

  /**
   * Writes what workers have written so far: a thread that blocks its event loop owes them that.
   */
  drainOutput(): void {
    for (const output of this.#outputs) output.drain();
  }

  /** Asks all workers to end, and ends those that have not by the deadline. */
  async stop(timeout: number): Promise<void> {
    this.director.close();
    const ended = new Promise<void>((resolve) => {
      this.#stopping = resolve;
    });
    if (this.#members.size === 0) this.#stopping!();
    for (const { address, handle } of this.#members.values()) {
      handle.keepAlive(true);
      if (address !== undefined) this.#core.send({ type: 'stop' }, address);
      else handle.kill();
    }
    const outputs = [...this.#outputs];
    for (const output of outputs) output.keepAlive(true);
    let timer!: NodeJS.Timeout;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        for (const { handle } of this.#members.values()) handle.kill();
        resolve();
      }, timeout);
    });
    await ended;
    await Promise.race([deadline, Promise.all(outputs.map((output) => output.ended))]);
    clearTimeout(timer);
    for (const output of outputs) output.keepAlive(false);
    process.off('exit', this.#finishOutput);
    this.#finishOutput();
  }
}

function eventOf({ number, isolation, role, handle }: Member): WorkerEvent {
  const { pid } = handle;
  return { worker: number, isolation, role, ...(pid !== undefined && { pid }) };
}

/** Undefined while it may still become known. */
function reasonOfEnd(member: Member): string | undefined {
  const { handle } = member;
  const reason = handle.findEnd === undefined ? 'it died' : handle.findEnd();
  if (reason !== undefined) return reason;
  member.missedAt ??= performance.now();
  return performance.now() - member.missedAt > exitMs ? 'it died' : undefined;
}

function isolationOf(queue: number): WorkerIsolation {
  return queue === RunQueue.process ? 'process' : 'thread';
}
