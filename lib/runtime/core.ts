import { RuntimeShutdownError } from '../common/errors.js';
import { Codec } from '../serialization/codec.js';
import { native } from '../store/binding.js';
import { readMessage, writeMessage, type Message } from '../transport/message.js';
import { Peer, type InboxRecord, type PeerAddress, type PeerOwner } from '../transport/peer.js';
import { Op, RecordKind } from '../transport/wire.js';
import { Declarations } from './tasks/declarations.js';
import { resolveErrorClass } from './tasks/error-classes.js';
import { arrow } from './objects/arrow.js';
import { PeerIds } from './objects/ids.js';
import { References } from './objects/references.js';
import { registry } from './objects/registered.js';
import { Requests } from './tasks/requests.js';
import { SharedObjects } from './objects/shared-objects.js';
import { Values } from './objects/values.js';

/** What else a core is, in a worker. */
export interface Executor {
  /** A task or a call has arrived. */
  receive(record: InboxRecord): void;
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
  readonly objects: SharedObjects;
  readonly references = new References(this);
  readonly requests = new Requests(this);
  readonly values = new Values(this);
  readonly declarations = new Declarations(this);
  /** 32 hex digits, unique across machines. */
  readonly storeId: string;
  readonly store: number;
  executor: Executor | undefined;
  onMessage: (message: Message, from: PeerAddress) => void = () => undefined;

  readonly #staysUp: boolean;
  #closed = false;

  /** Takes over `store`. A core that `staysUp` keeps its event loop alive even when idle. */
  constructor(store: number, queue: number, staysUp: boolean) {
    this.store = store;
    this.#staysUp = staysUp;
    this.storeId = native.storeHandle(store)[2];
    const hooks = { references: this.references, tables: arrow, resolveErrorClass };
    this.codec = new Codec(hooks, registry);
    this.objects = new SharedObjects(store, this.codec);
    this.peer = new Peer(store, queue, this);
    this.ids = new PeerIds(this.storeId, this.peer.address.uid);
    if (staysUp) this.peer.keepAlive(true);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** While requests wait for their answers the event loop stays up. */
  setBusy(busy: boolean): void {
    if (!this.#staysUp && this.peer.isOpen) this.peer.keepAlive(busy);
  }

  receive(record: InboxRecord): void {
    switch (record.kind) {
      case RecordKind.completion:
        this.requests.complete(record);
        return;
      case RecordKind.bounced:
        this.requests.bounced(record);
        return;
      case RecordKind.message: {
        const message = readMessage(this.peer.inbox, record.start, record.end);
        this.onMessage(message, { slot: record.sender, uid: record.senderUid });
        return;
      }
      default:
        this.executor?.receive(record);
    }
  }

  received(): boolean {
    return this.executor?.received() ?? false;
  }

  wantedTasks(): number {
    return this.executor?.wantedTasks() ?? 0;
  }

  createActor(): [index: number, generation: number] {
    return native.peerCreateActor(this.peer.handle);
  }

  /** From now on the actor's calls go to `host`. False when one of them has ended. */
  hostActor(index: number, generation: number, host: PeerAddress): boolean {
    return native.peerHostActor(this.peer.handle, index, generation, host.slot, host.uid);
  }

  /** Calls that wait for a host fail, and so do all to come. */
  endActor(index: number, generation: number): void {
    native.peerEndActor(this.peer.handle, index, generation);
  }

  send(message: Message, to: PeerAddress): void {
    const offset = this.peer.reserve();
    const length = writeMessage(message, this.peer.outbox, offset);
    this.peer.commit(Op.message, to.slot, to.uid, 0, 0, length);
  }

  assertOpen(): void {
    if (!this.#closed) return;
    throw new RuntimeShutdownError('The runtime has shut down: call init() to start another one');
  }

  /** Fails what is pending, and all that is asked from now on. */
  refuse(): void {
    if (this.#closed) return;
    this.#closed = true;
    const message = 'The runtime was shut down before the task had ended';
    this.requests.close(new RuntimeShutdownError(message));
  }

  /** Gives everything back. Idempotent. */
  close(): void {
    this.refuse();
    if (!this.peer.isOpen) return;
    this.references.close();
    this.objects.close();
    this.peer.close();
    native.storeClose(this.store);
  }
}
