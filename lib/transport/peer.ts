import { nextTick } from 'node:process';
import { native } from '../store/binding.js';
import { headerBytes, maxPayloadBytes, noTarget, Op, Word } from './wire.js';

const outboxBytes = 256 * 1024;
const inboxBytes = 256 * 1024;
/** An encoder may run past the largest payload before it is found to be too large. */
const reservedBytes = headerBytes + 4 * maxPayloadBytes;

/** Names a peer for ever: slots are used again, uids are not. */
export interface PeerAddress {
  readonly slot: number;
  readonly uid: number;
}

/**
 * A received record. Valid during {@link PeerOwner.receive} only, as are the bytes in the inbox.
 */
export interface InboxRecord {
  kind: number;
  /** Answers the record, if it is a task or a call; 1 if it is the answer to a task. */
  handle: number;
  /**
   * The called actor's index; the uid of the peer that a bounced record was with, or had gone to.
   */
  actor: number;
  /** The number of an item. */
  item: number;
  /** The gpus of a task, a bit each: 0 to 31, and 32 to 63. */
  devicesLow: number;
  devicesHigh: number;
  flags: number;
  sequence: number;
  sender: number;
  senderUid: number;
  /** The payload's place in the inbox. */
  start: number;
  end: number;
}

/** The uid of the peer whose end has bounced a record; undefined when it was not that. */
export function endedPeer({ handle, actor }: InboxRecord): number | undefined {
  return handle === noTarget ? actor : undefined;
}

/** Whether a completion is the answer to a task, not to a call. */
export function answersTask({ handle }: InboxRecord): boolean {
  return handle === 1;
}

export interface PeerOwner {
  receive(record: InboxRecord): void;
  /** All records of one exchange have been received. True asks for another exchange. */
  received(): boolean;
  /** How many tasks to take. */
  wantedTasks(): number;
}

/**
 * This thread's end of the transport. Committed records leave
 * together at the end of the current turn, or earlier when the outbox is full.
 */
export class Peer {
  readonly address: PeerAddress;
  readonly outbox = new Uint8Array(outboxBytes);
  readonly inbox = new Uint8Array(inboxBytes);
  readonly #outWords = new Uint32Array(this.outbox.buffer);
  readonly #inWords = new Uint32Array(this.inbox.buffer);
  readonly #owner: PeerOwner;
  readonly #kind: number;
  #peer: number | undefined;
  #used = 0;
  #exchanging = false;
  #dispatching = false;
  #scheduled = false;
  readonly #exchange = () => {
    this.#scheduled = false;
    this.exchange();
  };
  readonly #record: InboxRecord = {
    kind: 0,
    handle: 0,
    actor: 0,
    item: 0,
    devicesLow: 0,
    devicesHigh: 0,
    flags: 0,
    sequence: 0,
    sender: 0,
    senderUid: 0,
    start: 0,
    end: 0,
  };

  /** `kind` is the kind of worker whose tasks this peer takes. */
  constructor(store: number, kind: number, owner: PeerOwner) {
    this.#owner = owner;
    this.#kind = kind;
    const [peer, slot, uid] = native.peerOpen(
      store,
      () => this.exchange(),
      this.outbox,
      this.inbox,
    );
    this.#peer = peer;
    this.address = { slot, uid };
  }

  /** The number by which native functions know this peer. */
  get handle(): number {
    if (this.#peer === undefined) throw new Error('the peer has ended');
    return this.#peer;
  }

  get isOpen(): boolean {
    return this.#peer !== undefined;
  }

  /**
   * Where in the outbox the payload of the next record goes. A second call gives the same answer,
   * unless a record was committed in between.
   */
  reserve(): number {
    if (this.#used + reservedBytes > outboxBytes) this.#send();
    return this.#used + headerBytes;
  }

  /** Sends the record whose payload of `length` bytes stands where {@link reserve} said. */
  commit(
    op: number,
    target: number,
    targetUid: number,
    flags: number,
    sequence: number,
    length: number,
  ): void {
    const word = this.#used >>> 2;
    const bytes = (headerBytes + length + 7) & ~7;
    const words = this.#outWords;
    words[word + Word.bytes] = bytes;
    words[word + Word.op] = op;
    words[word + Word.target] = target;
    words[word + Word.targetUid] = targetUid;
    words[word + Word.length] = length;
    words[word + Word.flags] = flags;
    words[word + Word.sequenceLow] = sequence;
    words[word + Word.sequenceHigh] = sequence / 0x1_0000_0000;
    this.#used += bytes;
    this.schedule();
  }

  /** So many more tasks of this peer have finished, or failed. */
  tally(finished: number, failed: number): void {
    this.reserve();
    this.commit(Op.tally, finished, failed, 0, 0, 0);
  }

  /** Exchanges once the code that runs now, and all that is ready to run after it, has run. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    nextTick(this.#exchange);
  }

  /** Sends what is in the outbox and receives until nothing is left. */
  exchange(): void {
    if (this.#exchanging) return;
    this.#exchanging = true;
    try {
      this.#exchangeAll();
    } finally {
      this.#exchanging = false;
    }
  }

  #exchangeAll(): void {
    let again = true;
    // The owner may close this peer meanwhile.
    while (again && this.#peer !== undefined) {
      const length = this.#used;
      this.#used = 0;
      const received = native.peerExchange(
        this.#peer,
        length,
        this.#kind,
        this.#owner.wantedTasks(),
      );
      const bytes = Math.floor(received);
      this.#dispatch(bytes);
      again = this.#owner.received() || received !== bytes;
    }
  }

  /**
   * Blocks this thread until something has come, for at most `timeout` ms, and receives it. For
   * code that is itself called by an owner's `received`; not for what runs while a record is looked
   * at.
   */
  waitBlocked(timeout: number): void {
    if (this.#dispatching) throw new Error('a record is being looked at');
    if (this.#used > 0) this.#exchangeAll();
    else if (native.peerWait(this.handle, timeout)) this.#exchangeAll();
  }

  /** Sends what has been committed now. */
  flush(): void {
    if (this.#used > 0) this.#send();
  }

  /** While a received record is being looked at, the inbox must stay as it is. */
  #send(): void {
    const length = this.#used;
    this.#used = 0;
    if (native.peerSend(this.handle, length) !== 0) this.schedule();
  }

  #dispatch(bytes: number): void {
    const words = this.#inWords;
    const record = this.#record;
    this.#dispatching = true;
    for (let offset = 0; offset < bytes;) {
      const word = offset >>> 2;
      record.kind = words[word + Word.op]!;
      record.handle = words[word + Word.target]!;
      record.actor = record.item = words[word + Word.targetUid]!;
      record.devicesLow = words[word + Word.devicesLow]!;
      record.devicesHigh = words[word + Word.devicesHigh]!;
      record.flags = words[word + Word.flags]!;
      record.sequence =
        words[word + Word.sequenceLow]! + words[word + Word.sequenceHigh]! * 0x1_0000_0000;
      record.sender = words[word + Word.sender]!;
      record.senderUid = words[word + Word.senderUid]!;
      record.start = offset + headerBytes;
      record.end = record.start + words[word + Word.length]!;
      offset += words[word + Word.bytes]!;
      this.#owner.receive(record);
    }
    this.#dispatching = false;
  }

  /** Whether the event loop stays up for this peer. */
  keepAlive(busy: boolean): void {
    native.peerKeepAlive(this.handle, busy);
  }

  close(): void {
    if (this.#peer === undefined) return;
    native.peerClose(this.#peer);
    this.#peer = undefined;
  }
}
