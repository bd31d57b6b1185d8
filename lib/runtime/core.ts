import { hasShutDown, RuntimeShutdownError } from '../common/errors.js';
import { Codec } from '../serialization/codec.js';
import { native } from '../store/binding.js';
import {
  readMessage,
  writeMessage,
  type ControlMessage,
  type Message,
} from '../transport/message.js';
import { Peer, type InboxRecord, type PeerAddress, type PeerOwner } from '../transport/peer.js';
import { Op, RecordKind } from '../transport/wire.js';
import type { ActorAddress } from './actors/actor-address.js';
import type { ActorControl } from './actors/actor-control.js';
import { CallLines } from './actors/call-lines.js';
import { Declarations } from './tasks/declarations.js';
import { resolveErrorClass } from './tasks/error-classes.js';
import { arrow } from './objects/arrow.js';
import { PeerIds } from './objects/ids.js';
import { References } from './objects/references.js';
import { registry } from './objects/registered.js';
import type { CallSites } from './objects/call-sites.js';
import { Cancellations } from './tasks/cancellations.js';
import { Lineage } from './tasks/lineage.js';
import { Requests } from './tasks/requests.js';
import type { Incoming } from './tasks/responder.js';
import { Shapes } from './tasks/shapes.js';
import type { RunningTask } from './tasks/running-task.js';
import type { Lender } from './tasks/stream-producer.js';
import type { TaskTimes } from './tasks/task-times.js';
import { PumpedTimers } from './pumped-timers.js';
import { SharedObjects } from './objects/shared-objects.js';
import { LostObjects } from './objects/lost-objects.js';
import { Room } from './objects/room.js';
import { StoreChanges } from './objects/store-changes.js';
import { UnobservedFailures } from './objects/unobserved.js';
import { Values } from './objects/values.js';
import { WorkerEnds } from './workers/worker-ends.js';

/** How long an event loop with nothing to wait for stays up. */
const letGoMs = 5;

/** What else a core is, in a worker. */
export interface Executor extends Lender {
  /** A task or a call has arrived. */
  receive(record: InboxRecord): void;
  /** A message of its owner to a task that has arrived. */
  control(message: ControlMessage, from: PeerAddress): void;
  /** The task that the running code is part of, as far as can be told. */
  currentTask(): RunningTask | undefined;
  /** The task whose code is about to wait: one that does not already, if that cannot be told. */
  waitingTask(): RunningTask | undefined;
  /** All records of an exchange have; true asks for another exchange. */
  received(): boolean;
  wantedTasks(): number;
}

/**
 * One thread's part of a runtime (Ray's core worker): owns the results of what it submits, counts
 * the refs it borrows, and answers for both. Driver and workers differ by their executor only.
 */
export class Core implements PeerOwner {
  readonly peer: Peer;
  readonly codec: Codec;
  readonly ids: PeerIds;
  /** When somebody wants to know where refs are made. */
  readonly callSites: CallSites | undefined;
  readonly objects: SharedObjects;
  readonly references = new References(this);
  readonly changes: StoreChanges;
  readonly lineage: Lineage;
  readonly lost = new LostObjects(this);
  readonly room: Room;
  readonly requests = new Requests(this);
  readonly unobserved = new UnobservedFailures();
  readonly values = new Values(this);
  readonly shapes = new Shapes(this);
  readonly cancellations = new Cancellations(this);
  readonly timers = new PumpedTimers();
  readonly callLines = new CallLines();
  readonly declarations = new Declarations(this);
  readonly ends = new WorkerEnds();
  /** 32 hex digits, unique across machines. */
  readonly storeId: string;
  readonly store: number;
  /** Milliseconds since the epoch. */
  readonly startedAt = Date.now();
  executor: Executor | undefined;
  /** Set by whoever makes the core. */
  actors!: ActorControl;
  /** Where the times of tasks go, if they are tracked. */
  taskTimes: TaskTimes | undefined;
  /** Undefined for the driver's own. */
  driver: PeerAddress | undefined;
  /** While the thread is blocked in a wait, what arrives is kept for later. */
  blocked = 0;
  onMessage: (message: Message, from: PeerAddress) => void = () => undefined;
  /** A task blocks this thread: one more, or one less. */
  onBlocked: (change: 1 | -1) => void = () => undefined;
  /** To be called when the runtime ends for this thread. */
  readonly onEnd = new Set<() => void>();
  /** Called now and then while this thread is blocked. */
  onSlice: () => void = () => undefined;

  readonly #staysUp: boolean;
  #closed = false;
  #holds = 0;
  #isHeld = false;
  #letGo: NodeJS.Timeout | undefined;

  /** Takes over `store`. A core that `staysUp` keeps its event loop alive even when idle. */
  constructor(store: number, queue: number, staysUp: boolean, callSites?: CallSites) {
    this.store = store;
    this.callSites = callSites;
    this.#staysUp = staysUp;
    this.storeId = native.storeHandle(store)[2];
    const hooks = { references: this.references, tables: arrow, resolveErrorClass };
    this.codec = new Codec(hooks, registry);
    this.objects = new SharedObjects(store, this.codec, () => this.ids.fresh());
    this.changes = new StoreChanges(store);
    this.room = new Room(this);
    this.lineage = new Lineage(this);
    this.objects.onCreated = (size) => this.room.created(size);
    this.objects.onOpened = (size) => this.room.opened(size);
    this.objects.onUnread = (id, error) => this.room.unread(id, error);
    this.peer = new Peer(store, queue, this);
    this.ids = new PeerIds(this.storeId, this.peer.address.uid);
    if (staysUp) this.peer.keepAlive(true);
  }

  /** The id of the ref that a task or call is answered to. */
  taskIdOf({ senderUid, sequence }: Incoming): string {
    return new PeerIds(this.storeId, senderUid).of(sequence);
  }

  /**
   * When what could not be read, for `error`, and since `since`, can be: because it is made again,
   * or has room to come back from disk. Undefined when there is no hope; rejects when there is none
   * left.
   */
  recoveryFrom(error: unknown, since: number): Promise<void> | undefined {
    const missing = this.lost.missingIn(error);
    return missing === undefined
      ? this.room.reliefFrom(error, since)
      : this.lost.whenFound(missing);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** The event loop stays up until {@link unhold} was called as often. */
  hold(): void {
    this.#holds++;
    if (this.#isHeld || this.#staysUp) return;
    this.#isHeld = true;
    this.peer.keepAlive(true);
  }

  unhold(): void {
    this.#holds--;
    if (this.#holds === 0 && this.#letGo === undefined && !this.#staysUp) this.#letGoSoon();
  }

  /** Not at once: those who call task after task would pay for it each time. */
  #letGoSoon(): void {
    this.#letGo = setTimeout(() => {
      this.#letGo = undefined;
      if (this.#holds > 0 || !this.peer.isOpen) return;
      this.#isHeld = false;
      this.peer.keepAlive(false);
    }, letGoMs).unref();
  }

  receive(record: InboxRecord): void {
    switch (record.kind) {
      case RecordKind.completion:
        this.requests.complete(record);
        return;
      case RecordKind.bounced:
        this.requests.bounced(record);
        return;
      case RecordKind.item:
        this.requests.item(record);
        return;
      case RecordKind.message: {
        const message = readMessage(this.peer.inbox, record.start, record.end);
        this.#heard(message, { slot: record.sender, uid: record.senderUid });
        return;
      }
      default:
        this.executor?.receive(record);
    }
  }

  #heard(message: Message, from: PeerAddress): void {
    switch (message.type) {
      case 'cancel':
      case 'taken':
        this.executor?.control(message, from);
        return;
      case 'timedOut':
        this.requests.timedOut(message.sequence, message.timeout);
        return;
      case 'outOfMemory':
        this.requests.outOfMemory(message);
        return;
      case 'memoryIsBack':
        this.requests.memoryIsBack(message.sequence);
        return;
      case 'freed':
        this.values.freedByBorrower(message.id);
        return;
      case 'remake':
        this.lost.answer(message.id, from);
        return;
      case 'remade':
        this.lost.answered(message.id, message.verdict);
        return;
      case 'cancelRef':
        this.cancellations.answer(message, from);
        return;
      case 'cancelled':
        this.cancellations.answered(message);
        return;
      default:
        this.onMessage(message, from);
    }
  }

  received(): boolean {
    return this.#mayExecute && (this.executor?.received() ?? false);
  }

  wantedTasks(): number {
    return this.#mayExecute ? (this.executor?.wantedTasks() ?? 0) : 0;
  }

  /** What a driver takes is no user's code. */
  get #mayExecute(): boolean {
    return this.blocked === 0 || this.driver === undefined;
  }

  toDriver(message: Message): void {
    if (this.driver === undefined) this.onMessage(message, this.peer.address);
    else this.send(message, this.driver);
  }

  /** `restarts`: how often it may have another host; Infinity: always. */
  createActor(restarts: number, isDetached: boolean): ActorAddress {
    const times = restarts === Infinity ? -1 : restarts;
    const [index, generation] = native.peerCreateActor(this.peer.handle, times, isDetached);
    return { index, generation };
  }

  /** Calls that wait for a host fail, and so do all to come. */
  endActor({ index, generation }: ActorAddress): void {
    native.peerEndActor(this.peer.handle, index, generation);
  }

  send(message: Message, to: PeerAddress): void {
    const offset = this.peer.reserve();
    const length = writeMessage(message, this.peer.outbox, offset);
    this.peer.commit(Op.message, to.slot, to.uid, 0, 0, length);
  }

  /** Where the live peer of that uid is. */
  findPeer(uid: number): PeerAddress | undefined {
    const slot = native.peerFind(this.peer.handle, uid);
    return slot === undefined ? undefined : { slot, uid };
  }

  assertOpen(): void {
    if (!this.#closed) return;
    throw hasShutDown();
  }

  /** Fails what is pending, and all that is asked from now on. */
  refuse(message = 'The runtime was shut down before the task had ended'): void {
    if (this.#closed) return;
    this.#closed = true;
    this.unobserved.reportAll();
    const error = new RuntimeShutdownError(message);
    this.requests.close(error);
    this.references.fail(error);
    for (const end of this.onEnd) end();
  }

  /** Gives everything back. Idempotent. */
  close(): void {
    this.refuse();
    if (!this.peer.isOpen) return;
    clearTimeout(this.#letGo);
    this.cancellations.close();
    this.timers.close();
    this.references.close();
    this.lost.close();
    this.room.close();
    this.changes.close();
    this.objects.close();
    this.peer.close();
    native.storeClose(this.store);
  }
}
