/**
 * The native surface: each function of the addon with its contract. Only this file loads it.
 *
 * Stores and peers are numbers that the addon checks on every call; they belong to the thread that
 * made them. `entry` and `generation` name a row of the object table; functions that find or make a
 * row leave them, and sizes, in the store's registers. Arguments have been validated; a mistake in
 * them is a TypeError all the same, never a crash. Failures throw what {@link storeError} makes.
 */

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import {
  MobulaError,
  ObjectExistsError,
  ObjectFreedError,
  ObjectLostError,
  ObjectNotFoundError,
  ObjectNotSealedError,
  OutOfDiskError,
  StoreClosedError,
  StoreCorruptError,
  StoreFullError,
  StoreStalledError,
  UnschedulableError,
} from '../common/errors.js';
import { addonNotLoaded, requireSupportedPlatform } from './unloadable.js';

/** Indices into {@link Native.storeRegisters}. */
export const Register = { entry: 0, generation: 1, size: 2, metadataSize: 3 } as const;

export const Eviction = { none: 0, clru: 1, unreferenced: 2 } as const;

export const Availability = { absent: 0, pending: 1, ready: 2, lost: 3, freed: 4 } as const;

/** Of an actor: `pending` before its first host, `restarting` before each further one. */
export const ActorState = { ended: 0, pending: 1, alive: 2, restarting: 3 } as const;

/** Whether an object of some size has room now, once others are spilled, or could never have. */
export const Room = { none: 0, some: 1, never: 2, bySpilling: 3 } as const;

/** [id, size, state, pins, createdAt]; state: 0 created, 1 sealed, 2 spilled. */
export type InfoRow = [id: string, size: number, state: number, pins: number, createdAt: number];

export type ResourceAmount = readonly [name: string, amount: number];

/** `available` of cpu is below zero while tasks that lent theirs have it back. */
export type ResourceRow = [name: string, total: number, available: number];
/**
 * [id, size, state, refs, pins, createdAt]; state: 0 pending, 1 created, 2 sealed, 3 lost, 4 freed.
 */
export type ReferredRow = [
  id: string,
  size: number,
  state: number,
  refs: number,
  pins: number,
  createdAt: number,
];

export interface Native {
  setErrorFactory(factory: (code: number, message: string) => Error): void;

  storeCreate(
    memory: number,
    maxObjects: number,
    eviction: number,
    name: string | undefined,
    guard: boolean,
    queue: boolean,
    prefault: number,
    /** With {@link Eviction.unreferenced}: where to, and how many bytes at most, objects spill. */
    spillDirectory?: string,
    spillLimit?: number,
  ): number;
  storeAttachName(name: string): number;
  storeAttachHandle(pid: number, fd: number, storeId: string): number;
  storeUnlink(name: string): boolean;
  /** Gives back the store's pins, refs and unsealed objects. Views stay. The number is void. */
  storeClose(store: number): void;
  /** Good while this process has the store open. */
  storeHandle(store: number): [pid: number, fd: number, storeId: string];
  /** Stays good, and keeps the memory, until its descriptor is withdrawn, once. */
  storeOffer(store: number): [pid: number, fd: number, storeId: string];
  storeWithdraw(fd: number): void;
  /** Written by other calls, read right after them. */
  storeRegisters(store: number): Float64Array;

  storePut(
    store: number,
    id: string | undefined,
    bytes: Uint8Array,
    metadata: Uint8Array | undefined,
  ): string;
  /** The buffer is writable; registers: entry, generation. */
  storeCreateObject(
    store: number,
    id: string | undefined,
    size: number,
    metadata: Uint8Array | undefined,
  ): [id: string, buffer: SharedArrayBuffer];
  /**
   * `buffer` is what storeCreateObject gave. `exposed`: others may still have the writable buffer, so it is guarded against their writes.
   * `contained` is ids of 16 bytes each: they live as long as this object. `addRef` counts a
   * reference of this store; `refClient` gets one that it will count itself (storeAddRef). `pin`
   * counts a pin of this store (storeUnpin).
   */
  storeSeal(
    store: number,
    entry: number,
    generation: number,
    buffer: SharedArrayBuffer,
    exposed: boolean,
    addRef: boolean,
    contained: Uint8Array | undefined,
    refClient: number | undefined,
    refClientGeneration: number | undefined,
    pin: boolean,
  ): void;
  storeAbort(store: number, entry: number, generation: number): void;

  /**
   * One more hold on a sealed object; undefined when there is none. True when a buffer over it
   * exists in this thread already, else a new one. The hold ends by storeReleaseView or with the
   * buffer's last reference in any thread. Registers: all.
   */
  storeGet(store: number, id: string): SharedArrayBuffer | true | undefined;
  /** As storeGet; null for what is on disk, which stays there. */
  storeGetInMemory(store: number, id: string): SharedArrayBuffer | true | null | undefined;
  /** Reads what is on disk back beside this thread. Who wants it must ask for it soon after. */
  storeRestore(store: number, id: string, done: (error?: Error) => void): void;
  /** After storeGet was true, but the buffer has been collected; undefined: ask storeGet again. */
  storeReopen(store: number, entry: number, generation: number): SharedArrayBuffer | undefined;
  /** A private copy. The caller holds the object. */
  storeMetadata(store: number, entry: number, generation: number): Uint8Array;
  storeReleaseView(store: number, entry: number, generation: number): void;
  storePin(store: number, id: string): boolean;
  storeUnpin(store: number, entry: number, generation: number): boolean;
  storePeek(store: number, id: string): InfoRow | undefined;
  storeAvailability(store: number, id: string): number;
  /** Of the objects whose ids, 16 bytes each, are given; each counts once. */
  storeBytesOf(store: number, ids: Uint8Array): number;
  storeDelete(store: number, id: string): boolean;
  /** A value of {@link Eviction}. */
  storeEviction(store: number): number;
  storeEvict(store: number, bytes: number): number;
  /** False unless it is sealed and nobody pins it. */
  storeEvictObject(store: number, id: string): boolean;
  storeWatchEvictions(store: number): void;
  storeTakeEvicted(store: number): InfoRow[];
  storeList(store: number): InfoRow[];
  /** memory, used, largest free block, sealed, unsealed, pinned objects, pinned bytes, puts, hits,
   * misses, evictions, evicted bytes, clients, reclaimed clients, recoveries, objects on disk only,
   * spilled, spilled bytes, restored, restored bytes. */
  storeStats(store: number): Float64Array;
  storeCheck(store: number): string[];

  /** `changed` runs after a watched object may have been sealed, lost or removed. Once a store. */
  storeOnChanged(store: number, changed: () => void): void;
  storeWatch(store: number, id: string): number;
  /** As storeWatch, for bytes that are given back or may be evicted from now on. */
  storeWatchRoom(store: number): number;
  storeUnwatch(store: number, watch: number): void;
  storeKeepAlive(store: number, waiting: boolean): void;

  /**
   * Names an object to come, or one that is lost and will be made again, which this process owes;
   * counts a reference. Registers: entry, generation.
   */
  storePromise(store: number, id: string): void;
  /** False when there is no such object. Registers: entry, generation. */
  storeAddRef(store: number, id: string): boolean;
  storeDropRef(store: number, entry: number, generation: number): void;
  /** Gives the object up for all who refer to it. False when there is no such object. */
  storeFree(store: number, id: string): boolean;
  /** What some process refers to. */
  storeListReferred(store: number): ReferredRow[];

  /** A place in the line of all who wait for room, in whatever thread; after storeWatchRoom. */
  storeEnterRoomQueue(store: number): number;
  /** Tells the others to look. */
  storeLeaveRoomQueue(store: number, place: number): void;
  /** Whether nobody waits who came before that place. */
  storeIsFirstForRoom(store: number, place: number): boolean;
  /** A value of {@link Room}. */
  storeRoomFor(store: number, size: number): number;
  /** `collect` runs when somebody asks for memory that garbage of this thread may hold. Once. */
  storeOnCollect(store: number, collect: () => void): void;
  /** Asks all threads and processes with such a function, this one too; how many there are. */
  storeAskToCollect(store: number): number;
  /** How many there are; another process counts as one. */
  storeCollectors(store: number): number;
  /** Gives back what dead processes held; it also happens by itself. */
  storeReap(store: number): void;

  /** `rung` runs when there may be something to receive. The buffers must not be detached. */
  peerOpen(
    store: number,
    rung: () => void,
    outbox: Uint8Array,
    inbox: Uint8Array,
  ): [peer: number, slot: number, uid: number];
  peerClose(peer: number): void;
  /**
   * Sends the first `length` bytes of the outbox, then fills the inbox from the mailbox and with up
   * to `maxTasks` tasks for workers of this kind. Returns the bytes received, plus 0.5 when more
   * waits.
   */
  peerExchange(peer: number, length: number, kind: number, maxTasks: number): number;
  /** Sends only, and receives nothing. Returns 0.5 when something waits in the mailbox. */
  peerSend(peer: number, length: number): number;
  /** A live peer's process in the client table. */
  peerClient(
    peer: number,
    slot: number,
    uid: number,
  ): [client: number, generation: number] | undefined;
  peerKeepAlive(peer: number, busy: boolean): void;
  /**
   * Whether there is room for `bytes` of arguments of the task `handle`: it holds it then as long
   * as it runs and does not wait. Arguments of all tasks hold no more than `most`, but one alone
   * may.
   */
  peerHoldArguments(peer: number, handle: number, bytes: number, most: number): boolean;
  /** The slot of the live peer of that uid. */
  peerFind(peer: number, uid: number): number | undefined;
  /** This process, and all of its group if it leads one, ends soon after that peer has. */
  peerEndWith(peer: number, slot: number, uid: number): void;
  peerIsLive(peer: number, slot: number, uid: number): boolean;
  /**
   * It has a host once, and so many times more; -1: as often as it takes. Ends with its owner: this
   * peer, or the driver of a detached one.
   */
  peerCreateActor(
    peer: number,
    restarts: number,
    isDetached: boolean,
  ): [index: number, generation: number];
  /** This peer owns it from now on. False when it has ended. */
  peerAdoptActor(peer: number, index: number, generation: number): boolean;
  /** Host number `attempt` begins calls from now on. */
  peerSetActorMade(peer: number, index: number, generation: number, attempt: number): void;
  /**
   * Its calls wait for another host from now on, which counts as a restart. False when it has no
   * host, or no restarts are left.
   */
  peerUnhostActor(peer: number, index: number, generation: number): boolean;
  peerSetRestarts(peer: number, index: number, generation: number, restarts: number): void;
  /** One of {@link ActorState}. */
  peerActorState(peer: number, index: number, generation: number): number;
  /** `attempt`: the number of its host. False when the actor or its host has ended meanwhile. */
  peerHostActor(
    peer: number,
    index: number,
    generation: number,
    host: number,
    hostUid: number,
    attempt: number,
  ): boolean;
  peerEndActor(peer: number, index: number, generation: number): void;

  /**
   * What the runtime has, to the ten-thousandth: names of at most 63 bytes, `cpu` and `gpu` (at
   * most 64) among them. Once, by the driver, before the first shape.
   */
  peerSetResources(peer: number, totals: readonly ResourceAmount[]): void;
  peerResources(peer: number): ResourceRow[];
  /**
   * What tasks that ask for this are submitted to, by every peer: the same demand gives the same
   * number. UnschedulableError when the runtime will never have as much.
   */
  peerShape(
    peer: number,
    kind: number,
    cpus: number,
    gpus: number,
    custom: readonly ResourceAmount[],
  ): number;
  /** This peer owns the runtime. */
  peerSetDriver(peer: number): void;
  /** This peer is one of the runtime's workers. */
  peerSetWorker(peer: number): void;
  /** The peer that owns the runtime, while it lives. */
  peerDriver(peer: number): [slot: number, uid: number] | undefined;
  /**
   * Takes back a task or call of this peer that nobody has taken yet: true, and no record comes
   * back. False when somebody has, or when it has been answered.
   */
  peerCancelQueued(peer: number, sequence: number): boolean;
  /** The peer that has a task or call of this peer in flight; undefined while it is queued. */
  peerWhereIs(peer: number, sequence: number): [slot: number, uid: number] | undefined;
  /**
   * Of all that the worker at this address has in flight, its death will be blamed on this task or
   * call. False when the worker does not have it.
   */
  peerBlame(peer: number, slot: number, uid: number, senderUid: number, sequence: number): boolean;
  /**
   * Of tasks: queued, running, finished, failed, retried; of tasks and calls: bounced; live
   * workers; actors in use, those of them that restart, actors that have ended.
   */
  peerCounts(peer: number): Float64Array;
  /**
   * The tasks of that peer, which may have ended, that have been taken: by whom, and their numbers.
   */
  peerTasksOf(peer: number, uid: number): [slot: number, uid: number, sequence: number][];
  /** The tasks that the live peer at that address has taken: whose they are, and how new. */
  peerTasksAt(
    peer: number,
    slot: number,
    uid: number,
  ): [ownerSlot: number, ownerUid: number, sequence: number, order: number, flags: number][];
  /** Whether all tasks and calls that were taken wait, and no task is queued. */
  peerIsQuiet(peer: number): boolean;
  /** Blocks until there may be something to receive, which is true, or for `timeoutMs`. */
  peerWait(peer: number, timeoutMs: number): boolean;
  /**
   * The kernel kills this process with the thread that started it; false if that has ended. No
   * longer when `parent` is 0.
   */
  dieWithParent(parent: number): boolean;
  /**
   * How a child of this process has ended, its 'exit' event not yet seen: its exit code, or minus
   * the signal that killed it. Undefined while it runs.
   */
  childEnd(pid: number): number | undefined;
  /**
   * A descriptor that keeps a name for this process, as long as it is open; undefined when another
   * one keeps it. /proc/net/unix lists the name behind a `@`.
   */
  nameClaim(name: string): number | undefined;
  /** For a child's output: reading does not block, writing does. Both are the caller's to close. */
  pipeCreate(): [readEnd: number, writeEnd: number];
  /** Node's own function warns, in a worker thread, of descriptors that it has not opened. */
  descriptorClose(descriptor: number): void;
}

function load(): Native {
  requireSupportedPlatform();
  const require = createRequire(import.meta.url);
  const packageRoot = fileURLToPath(new URL('../..', import.meta.url));
  try {
    const find = require('node-gyp-build') as (folder: string) => Native;
    return find(packageRoot);
  } catch (cause) {
    throw addonNotLoaded(packageRoot, cause);
  }
}

/** By native/include/mobula/status.h. */
function storeError(code: number, message: string): Error {
  switch (code) {
    case 1:
      return new ObjectNotFoundError(message);
    case 2:
      return new ObjectExistsError(message);
    case 3:
      return new ObjectNotSealedError(message);
    case 4:
      return new StoreFullError(message);
    case 5:
      return new StoreClosedError(message);
    case 6:
      return new StoreCorruptError(message);
    case 7:
      return new StoreStalledError(message);
    case 8:
      return Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' });
    case 12:
      return new ObjectFreedError(message);
    case 13:
      return new OutOfDiskError(message);
    case 14:
      return new ObjectLostError(message);
    case 9:
      return new MobulaError('MOBULA_INCOMPATIBLE', message);
    case 11:
      return new UnschedulableError(message);
    default:
      return new MobulaError('MOBULA_SYSTEM', message);
  }
}

export const native: Native = load();
native.setErrorFactory(storeError);
