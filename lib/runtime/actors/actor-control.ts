import type { ActorIsolation } from '../context.js';
import type { ActorAddress } from './actor-address.js';

/** What the driver needs to know of an actor beside what stands in its row. */
export interface Placement extends ActorAddress {
  readonly isolation: ActorIsolation;
  /** What it holds for life; null for nothing. */
  readonly shape: number | null;
  /** Milliseconds before it has another host. */
  readonly restartDelay: number;
  readonly isDetached: boolean;
  /** For messages. */
  readonly what: string;
  /** The object by which `getActor` finds it. */
  readonly nameId: string | null;
}

/** Why an actor has ended. */
export interface Death {
  /** The actor's, for messages. */
  readonly name: string;
  readonly reason: string;
  /** A record of what was thrown, if it was that. */
  readonly cause?: Uint8Array | undefined;
}

/**
 * What all who have handles can ask of the driver, which does it (Director) or is sent a message
 * (RemoteActors).
 */
export interface ActorControl {
  /** Finds a host for an actor that this thread has made. */
  place(placement: Placement): void;
  /**
   * Resolves when it has done its calls and run its stop hook; at once when it has ended before.
   */
  stop(actor: ActorAddress): Promise<void>;
  /** Ends it, or its host, now. Resolves when it has ended, or is on its way to another host. */
  kill(actor: ActorAddress, restart: boolean): Promise<void>;
  /**
   * From now on `onDown` hears when it is down, and it is not started again but by the next two.
   */
  supervise(actor: ActorAddress, onDown: (death: Death) => void): void;
  /** Starts it after it was down or ended. Gives the reason when it is down again instead. */
  startChild(actor: ActorAddress): Promise<Death | undefined>;
  /** Resolves when it has no host any more. */
  endChild(actor: ActorAddress): Promise<void>;
  /** Ends it for good. */
  retireChild(actor: ActorAddress): void;
  /** Calls back with undefined when nobody knows. */
  whyEnded(actor: ActorAddress, listener: (death: Death | undefined) => void): void;
}
