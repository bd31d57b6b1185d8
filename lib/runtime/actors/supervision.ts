import { ActorDiedError } from '../../common/errors.js';

/**
 * What else is ended and started anew when a child is down: nothing, all others, or those after it
 * in the list, which may depend on it.
 */
export const strategies = ['one-for-one', 'one-for-all', 'rest-for-one'] as const;
export type Strategy = (typeof strategies)[number];

/** What a supervisor looks after: an actor, or another supervisor. It is up to begin with. */
export interface SupervisedChild {
  /** For messages. */
  readonly name: string;
  /** Starts it anew, when it is down or was ended. Rejects when that fails: then it is down. */
  start(): Promise<void>;
  /** Ends it, also while it starts, which then settles. Never rejects. Idempotent. */
  end(): Promise<void>;
  /** Calls `listener` each time it goes down by itself, with the reason; not for {@link end}. */
  onDown(listener: (reason: Error) => void): void;
  /** It will not be started again. */
  retire(): void;
}

const namesInMessage = 10;

/** How often children may be restarted: more than `maxRestarts` times in `within` is too often. */
export interface Intensity {
  readonly maxRestarts: number;
  /** Milliseconds. */
  readonly within: number;
}

/**
 *   up --> down       it went down, or did not start
 *      --> ended      by its supervisor
 *   down, ended --> starting --> up
 */
interface Child {
  readonly child: SupervisedChild;
  state: 'up' | 'down' | 'ended' | 'starting';
  /** When it has ended, in state `ended`. */
  end: Promise<void> | undefined;
}

interface Down {
  readonly index: number;
  readonly reason: Error;
}

/**
 * A supervisor in the manner of Erlang/OTP, itself a child for another. Children are started in the
 * order of the list and ended in its reverse, one after the other. When one goes down, it and those
 * that its strategy names are restarted; one that does not start counts as down again. Whoever goes
 * down while others are restarted waits for that, or is restarted with them and counts no more.
 * When it happens too often all children are ended, and the supervisor is down itself.
 */
export class Supervision implements SupervisedChild {
  readonly done: Promise<void>;
  readonly #strategy: Strategy;
  readonly #children: readonly Child[];
  readonly #intensity: Intensity;
  readonly #now: () => number;
  /** When children were restarted, as far back as it matters. */
  #restarts: number[] = [];
  #downs: Down[] = [];
  /** In `ended` its children are down, and it may be started again; in `retired` it may not. */
  #state: 'up' | 'ended' | 'retired' = 'up';
  #isRepairing = false;
  /** Counts starts and ends: what was under way before the last one is of no concern any more. */
  #era = 0;
  #tellParent: ((reason: Error) => void) | undefined;
  #resolveDone!: () => void;
  #rejectDone!: (reason: Error) => void;

  constructor(
    strategy: Strategy,
    children: readonly SupervisedChild[],
    intensity: Intensity,
    now: () => number = () => performance.now(),
  ) {
    this.#strategy = strategy;
    this.#intensity = intensity;
    this.#now = now;
    this.done = new Promise((resolve, reject) => {
      this.#resolveDone = resolve;
      this.#rejectDone = reject;
    });
    this.#children = children.map((child, index) => {
      child.onDown((reason) => this.#wentDown(index, reason));
      return { child, state: 'up', end: undefined };
    });
  }

  get name(): string {
    const names = this.#children.slice(0, namesInMessage).map(({ child }) => child.name);
    const others = this.#children.length - names.length;
    if (others > 0) names.push(`${others} more`);
    return `the supervisor of ${names.length === 0 ? 'nobody' : names.join(', ')}`;
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  /** There is one parent at most. */
  onDown(listener: (reason: Error) => void): void {
    this.#tellParent = listener;
  }

  /** Ends the children for good, and resolves {@link done}. */
  async stop(): Promise<void> {
    this.#state = 'retired';
    await this.end();
    this.retire();
  }

  retire(): void {
    this.#state = 'retired';
    for (const { child } of this.#children) child.retire();
    this.#resolveDone();
  }

  async end(): Promise<void> {
    this.#era++;
    if (this.#state === 'up') this.#state = 'ended';
    this.#downs = [];
    await this.#endAll(this.#children);
  }

  /** As when it was made: earlier restarts do not count any more. One that was stopped stays so. */
  async start(): Promise<void> {
    if (this.#state === 'retired') return;
    const era = ++this.#era;
    this.#state = 'up';
    this.#restarts = [];
    this.#isRepairing = true;
    for (const child of this.#children) {
      const failure = await this.#startChild(child);
      if (this.#era !== era) return;
      if (failure === undefined) continue;
      await this.end();
      throw failure;
    }
    this.#isRepairing = false;
    void this.#repair(era);
  }

  #wentDown(index: number, reason: Error): void {
    const child = this.#children[index]!;
    if (this.#state !== 'up' || (child.state !== 'up' && child.state !== 'starting')) return;
    child.state = 'down';
    this.#downs.push({ index, reason });
    void this.#repair(this.#era);
  }

  /** Restarts children until none is down that nobody has seen to. */
  async #repair(era: number): Promise<void> {
    if (this.#isRepairing) return;
    this.#isRepairing = true;
    for (;;) {
      const down = this.#downs.shift();
      if (down === undefined) break;
      if (this.#isTooOften()) {
        await this.#escalate(down);
        return;
      }
      await this.#restart(down, era);
      if (this.#era !== era) return;
    }
    this.#isRepairing = false;
  }

  #isTooOften(): boolean {
    const { maxRestarts, within } = this.#intensity;
    const now = this.#now();
    this.#restarts = [...this.#restarts.filter((time) => now - time <= within), now];
    return this.#restarts.length > maxRestarts;
  }

  async #restart({ index }: Down, era: number): Promise<void> {
    const [from, to] = this.#affected(index);
    const affected = this.#children.slice(from, to);
    await this.#endAll(affected);
    if (this.#era !== era) return;
    this.#downs = this.#downs.filter((other) => other.index < from || other.index >= to);
    for (const [offset, child] of affected.entries()) {
      const failure = await this.#startChild(child);
      if (this.#era !== era) return;
      if (failure === undefined) continue;
      const failed = from + offset;
      this.#downs = this.#downs.filter((other) => other.index !== failed);
      this.#downs.unshift({ index: failed, reason: failure });
      return;
    }
  }

  /** From the first to before the last of those who are restarted with it. */
  #affected(index: number): [from: number, to: number] {
    switch (this.#strategy) {
      case 'one-for-one':
        return [index, index + 1];
      case 'one-for-all':
        return [0, this.#children.length];
      case 'rest-for-one':
        return [index, this.#children.length];
    }
  }

  async #endAll(children: readonly Child[]): Promise<void> {
    for (const one of children.toReversed()) {
      if (one.state === 'up' || one.state === 'starting') {
        one.state = 'ended';
        one.end = one.child.end();
      }
      if (one.state === 'ended') await one.end;
    }
  }

  /** Gives the reason when it does not start. */
  async #startChild(one: Child): Promise<Error | undefined> {
    one.state = 'starting';
    try {
      await one.child.start();
      this.#hasStarted(one, 'up');
      return undefined;
    } catch (error) {
      this.#hasStarted(one, 'down');
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** It may have gone down or been ended meanwhile. */
  #hasStarted(one: Child, state: 'up' | 'down'): void {
    if (one.state === 'starting') one.state = state;
  }

  async #escalate({ index, reason }: Down): Promise<void> {
    const { maxRestarts, within } = this.#intensity;
    const failed = this.#children[index]!.child.name;
    const error = new ActorDiedError(
      `Children of ${this.name} went down ${this.#restarts.length} times within ${within} ms, ` +
        `more than the ${maxRestarts} restarts allowed; the last was ${failed}: ${reason.message}`,
      { cause: reason },
    );
    const ended = this.end();
    const era = this.#era;
    await ended;
    if (this.#era !== era) return;
    if (this.#tellParent !== undefined) {
      this.#tellParent(error);
      return;
    }
    this.#rejectDone(error);
    this.retire();
  }
}
