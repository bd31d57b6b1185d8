/** What is said of actors, between their driver, their hosts, and those who have their handles. */

interface Address {
  readonly index: number;
  readonly generation: number;
}

interface DeathNote {
  readonly name: string;
  readonly reason: string;
  readonly cause?: Uint8Array | undefined;
}

/** The driver to a host, ahead of the calls of the actor that it is about. */
export type ActorOrder =
  | ({
      readonly type: 'construct';
      /** How often it had another host. */
      readonly restarts: number;
      readonly gpus: readonly number[];
      /** Answer `constructed` when it is. */
      readonly reports: boolean;
    } & Address)
  /** Give it up now, and its calls back; the answer is `left`. */
  | ({ readonly type: 'evict' } & Address)
  /** End it once its calls are done; the answer is `stopped`. */
  | ({ readonly type: 'retire' } & Address);

/** A host to the driver. */
export type ActorReport =
  | ({ readonly type: 'constructed' } & Address)
  | ({ readonly type: 'left' } & Address)
  | ({ readonly type: 'stopped' } & Address)
  /** It could not be made, or code that it has started has failed. */
  | ({
      readonly type: 'actorFailed';
      readonly restarts: number;
      readonly death: DeathNote;
      readonly mayRestart: boolean;
    } & Address);

/** Anybody to the driver. */
export type ActorRequest =
  | ({
      readonly type: 'place';
      readonly isolation: 'shared' | 'thread' | 'process';
      readonly shape: number | null;
      readonly restartDelay: number;
      readonly isDetached: boolean;
      readonly what: string;
      readonly nameId: string | null;
    } & Address)
  /** The answer to this and the next is `actorDone`. */
  | ({ readonly type: 'stopActor'; readonly question: number } & Address)
  | ({ readonly type: 'killActor'; readonly question: number; readonly restart: boolean } & Address)
  | ({ readonly type: 'superviseActor' } & Address)
  /** The answer to this and the next is `actorDone`. */
  | ({ readonly type: 'startChild'; readonly question: number } & Address)
  | ({ readonly type: 'endChild'; readonly question: number } & Address)
  | ({ readonly type: 'retireChild' } & Address)
  /** The answer is `actorEnded`. */
  | ({ readonly type: 'whyActor' } & Address);

/** The driver to those who have asked. */
export type ActorAnswer =
  /** With a reason, if it was in vain. */
  | { readonly type: 'actorDone'; readonly question: number; readonly death: DeathNote | null }
  /** To a supervisor. */
  | ({ readonly type: 'childDown'; readonly death: DeathNote } & Address)
  | ({ readonly type: 'actorEnded'; readonly death: DeathNote | null } & Address);

export type ActorMessage = ActorOrder | ActorReport | ActorRequest | ActorAnswer;

const forDirector = new Set([
  'left',
  'stopped',
  'actorFailed',
  'place',
  'stopActor',
  'killActor',
  'whyActor',
  'superviseActor',
  'startChild',
  'endChild',
  'retireChild',
  'constructed',
]);

export function isForDirector(message: {
  readonly type: string;
}): message is ActorReport | ActorRequest {
  return forDirector.has(message.type);
}

/** The driver to a host. */
export function isOrder(message: { readonly type: string }): message is ActorOrder {
  return message.type === 'construct' || message.type === 'evict' || message.type === 'retire';
}
