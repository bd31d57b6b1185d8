import type { PeerAddress } from '../../transport/peer.js';
import type { RunningTask } from '../tasks/running-task.js';
import type { Concurrency } from '../tasks/task-spec.js';

/** A call of a method, as it has arrived. */
export class Call {
  readonly task: RunningTask;
  /** The method's name, then its arguments. */
  readonly args: unknown[];
  /** The one behind it in its group. */
  next: Call | undefined;

  constructor(task: RunningTask, args: unknown[]) {
    this.task = task;
    this.args = args;
  }
}

const nobody: readonly RunningTask[] = [];

/** Calls that may overlap up to a limit, and those that wait for their turn. */
class Group {
  readonly limit: number;
  running = 0;
  #first: Call | undefined;
  #last: Call | undefined;

  constructor(limit: number) {
    this.limit = limit;
  }

  get isFull(): boolean {
    return this.running >= this.limit;
  }

  push(call: Call): void {
    if (this.#last === undefined) this.#first = call;
    else this.#last.next = call;
    this.#last = call;
  }

  shift(): Call | undefined {
    const call = this.#first;
    this.#first = call?.next;
    if (this.#first === undefined) this.#last = undefined;
    return call;
  }

  *tasks(): Generator<RunningTask> {
    for (let call = this.#first; call !== undefined; call = call.next) yield call.task;
  }
}

/**
 * The calls of an actor that have arrived and have not ended: which may start, which go on. Each
 * belongs to one of the actor's groups, or to the unnamed one of all others.
 *
 * 1. Calls of a group start in the order in which they have arrived; so do those of different
 *    groups that need not wait.
 * 2. Of a group no more than its limit have started and not ended. A call that was answered early
 *    counts until its code has ended, too.
 * 3. A group that is full holds up no other; one in which calls wait is full.
 * 4. A call that was answered before it has started never starts.
 * 5. Nothing starts outside of {@link run} and the end of a call that has gone on.
 */
export class CallQueue {
  /** No call is here any more. */
  onIdle: () => void = () => undefined;
  readonly #start: (call: Call) => Promise<void> | undefined;
  #unnamed = new Group(1);
  /** What few actors have is made when it is needed: there may be a hundred thousand of them. */
  #named: Map<string, Group> | undefined;
  #arrived: Call[] = [];
  #goingOn: Set<RunningTask> | undefined;

  /**
   * `start` runs a call's code and answers it. It gives a promise, which never rejects, when the
   * code goes on.
   */
  constructor(start: (call: Call) => Promise<void> | undefined) {
    this.#start = start;
  }

  /** Before the first call is added. */
  limit({ max, groups }: Concurrency): void {
    this.#unnamed = new Group(max);
    const named = Object.entries(groups).map(([name, limit]) => [name, new Group(limit)] as const);
    if (named.length > 0) this.#named = new Map(named);
  }

  add(call: Call): void {
    this.#arrived.push(call);
  }

  /** Starts what has arrived, as far as it need not wait. */
  run(): void {
    if (this.#arrived.length === 0) return;
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const call of arrived) {
      const group = this.#groupOf(call);
      if (group.isFull) group.push(call);
      else this.#begin(call, group);
    }
    if (this.isIdle) this.onIdle();
  }

  #groupOf({ task }: Call): Group {
    const { concurrencyGroup } = task.terms;
    if (concurrencyGroup === undefined) return this.#unnamed;
    return this.#named?.get(concurrencyGroup) ?? this.#unnamed;
  }

  #begin(call: Call, group: Group): void {
    const { task } = call;
    if (task.ended) return;
    group.running++;
    const end = this.#start(call);
    if (end === undefined) {
      group.running--;
      return;
    }
    const goingOn = (this.#goingOn ??= new Set());
    goingOn.add(task);
    void end.then(() => {
      goingOn.delete(task);
      group.running--;
      this.#continue(group);
      if (this.isIdle) this.onIdle();
    });
  }

  #continue(group: Group): void {
    while (!group.isFull) {
      const call = group.shift();
      if (call === undefined) return;
      this.#begin(call, group);
    }
  }

  /** Undefined when it is not here, or was answered. */
  find(owner: PeerAddress, sequence: number): RunningTask | undefined {
    for (const task of this.tasks()) {
      if (!task.ended && task.isOf(owner, sequence)) return task;
    }
    return undefined;
  }

  /** Whether all that has arrived has ended. */
  get isIdle(): boolean {
    // Who waits does so behind somebody who goes on.
    return (this.#goingOn?.size ?? 0) === 0 && this.#arrived.length === 0;
  }

  /** Those that have started and go on, answered or not. */
  running(): Iterable<RunningTask> {
    return this.#goingOn ?? nobody;
  }

  /** Of all calls that are here, answered or not. */
  *tasks(): Generator<RunningTask> {
    yield* this.running();
    yield* this.#unnamed.tasks();
    for (const group of this.#named?.values() ?? []) yield* group.tasks();
    for (const { task } of this.#arrived) yield task;
  }

  /** Calls whose code has started and has not ended. */
  get active(): number {
    let active = this.#unnamed.running;
    for (const group of this.#named?.values() ?? []) active += group.running;
    return active;
  }
}
