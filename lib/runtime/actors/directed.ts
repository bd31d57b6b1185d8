import type { PeerAddress } from '../../transport/peer.js';
import type { ActorIsolation } from '../context.js';
import type { ObjectRef } from '../objects/object-ref.js';
import { actorIdOf, type ActorAddress } from './actor-address.js';
import type { Death, Placement } from './actor-control.js';
import type { Grant } from './actor-grants.js';

/** A worker that hosts actors, as {@link Hosts} knows it. */
export interface Host {
  /** Known once it is ready. */
  readonly address: PeerAddress | undefined;
  /** Those that it hosts, or is to host when it is ready. */
  readonly actors: Set<Directed>;
}

/** The workers that the director uses. */
export interface Hosts {
  /** One for an actor of that isolation: of shared ones the one with the fewest. */
  hostFor(isolation: ActorIsolation): Host;
  /** Ends it at once, for that reason if it is not known otherwise. */
  endHost(host: Host, reason: string): void;
  /** Lets one that has no actors end by itself. */
  dismissHost(host: Host): void;
}

/**
 * Where an actor stands; lib/README.md numbers the edges. `leaving`: taken from a host that has not
 * said yet that it has given it up, for another host or for good.
 */
export type DirectedState = 'pending' | 'alive' | 'leaving' | 'restarting' | 'stopping' | 'dead';

/** Where the children of a supervisor are reported. */
export interface Supervisor {
  readonly peer: PeerAddress;
  down(actor: Directed, death: Death): void;
}

/** An actor, as its driver knows it. */
export class Directed implements ActorAddress {
  readonly index: number;
  readonly generation: number;
  readonly id: string;
  readonly placement: Placement;
  /** Who made it, and takes it along at its end. */
  readonly maker: PeerAddress | undefined;
  state: DirectedState = 'pending';
  host: Host | undefined;
  grant: Grant | undefined;
  gpus: readonly number[] = [];
  /** Of a detached one. */
  anchor: ObjectRef | undefined;
  /** How often it had another host. */
  restarts = 0;
  /** Hosts that have ended before they were ready for it, one after the other. */
  failedStarts = 0;
  /**
   * Who decides, in place of {@link restarts} and its limit, what becomes of it when it is down.
   */
  supervisor: Supervisor | undefined;
  /** Its supervisor has ended it. */
  isEnding = false;
  /** It is to stop as soon as it has a host: somebody has called stop(). */
  mustStop = false;
  /** Why it is to have another host, or none. */
  death: Death | undefined;
  /** What is to be called when it has ended, or has come away from its host. */
  onMoved: (() => void)[] | undefined;
  onDead: (() => void)[] | undefined;
  /** The next time that it has been made, or not. */
  onStarted: ((death: Death | undefined) => void)[] | undefined;
  stopDelay: (() => void) | undefined;

  constructor(storeId: string, placement: Placement, maker: PeerAddress | undefined) {
    this.placement = placement;
    this.index = placement.index;
    this.generation = placement.generation;
    this.id = actorIdOf(storeId, placement);
    this.maker = maker;
  }

  get isShared(): boolean {
    return this.placement.isolation === 'shared';
  }
}
