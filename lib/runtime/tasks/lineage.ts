import { Eviction, native } from '../../store/binding.js';
import type { Core } from '../core.js';
import { isSystemId } from '../objects/ids.js';
import { referenceOf, type ObjectRef, type Reference } from '../objects/object-ref.js';
import { Availability, type Row } from '../objects/shared-objects.js';
import type { ValueSlot } from '../objects/value-slot.js';
import { Op } from '../../transport/wire.js';
import type { PendingRequest, Route } from './request.js';
import { ResultRefs } from './result-sinks.js';

/**
 * How much a thread remembers: so many tasks, and so many bytes of their specs and of small values.
 * What has been remembered for longest is forgotten first.
 */
export const lineageLimits = { tasks: 100_000, bytes: 64 * 1024 * 1024 };

/** So many of those that others may refer to are looked at when a ref is dropped. */
const lookAtOnce = 8;

/** How to run a task once more. */
export interface Recipe {
  readonly route: Route;
  readonly spec: Uint8Array;
  retriesLeft: number;
  /** It runs once more. */
  isRunning: boolean;
  /** Numbers of this thread's own results that it takes. */
  readonly needs: readonly number[];
  /**
   * Other refs that it takes, and objects that its arguments are in: held as long as this lives.
   */
  readonly held: readonly ObjectRef[];
  readonly rows: readonly Row[];
  /** Of actors whose handles it takes, which are not held. */
  readonly anchors: readonly string[];
}

/** What is remembered of the results of one request, which have numbers in a row. */
export interface Remembered {
  readonly first: number;
  readonly count: number;
  readonly bytes: number;
  /** One of these three: what to do, what to put again, or why neither is possible. */
  readonly recipe?: Recipe;
  readonly slot?: ValueSlot;
  readonly refusal?: string;
  /** Results that somebody may still refer to. */
  live: number;
  /** How often others need its results. */
  dependents: number;
}

const ofCall = 'it is the result of an actor, which has changed since: calls are not made again';
const ofNoRetries = 'its task may not run again: it has no retries left';

/**
 * What a thread remembers of the results in the store that it owns, so that they can be made again
 * (Ray's lineage).
 *
 * 1. A result is remembered from its answer on. It is forgotten when nobody refers to it and no
 *    task that is remembered needs it, or when it is the oldest and the limits are reached.
 * 2. `dependents` counts the needs of those that are remembered; `live` counts the results that are
 *    not among the gone.
 * 3. Objects are not held by this, so that they go with their last ref, unless they could not be
 *    made again: values that were put, and results of others' tasks.
 * 4. What is held is given back in {@link Lineage.#release}, once.
 * 5. What runs once more is not forgotten.
 */
export class Lineage {
  /** Objects that somebody refers to may be lost: those of other runtimes are spilled, or stay. */
  readonly isKept: boolean;
  limits = lineageLimits;
  readonly #core: Core;
  /** By the numbers of the results, all of a request, the oldest first. */
  readonly #remembered = new Map<number, Remembered>();
  /** Numbers of results that are remembered because others need them or their siblings only. */
  readonly #gone = new Set<number>();
  /** Numbers of results that others refer to or read, and this thread has no ref to. */
  readonly #lent = new Set<number>();
  #size = 0;
  #bytes = 0;

  constructor(core: Core) {
    this.#core = core;
    this.isKept = native.storeEviction(core.store) === Eviction.clru;
  }

  /** How many requests are remembered. */
  get size(): number {
    return this.#size;
  }

  find(sequence: number): Remembered | undefined {
    return this.#remembered.get(sequence);
  }

  /** Results of a request are in the store; its spec, if it came back, stands in the inbox. */
  answered(pending: PendingRequest, start: number, end: number): void {
    if (!this.isKept) return;
    const { route, reference, sink } = pending;
    const references = sink instanceof ResultRefs ? sink.references : [reference];
    const stored = references.filter(({ slot }) => slot.state === 'stored').length;
    if (stored === 0 || this.#remembered.has(reference.sequence!)) return;
    for (const { sequence, slot } of references) {
      if (slot.state !== 'stored') this.#gone.add(sequence!);
    }
    const place = { first: reference.sequence!, count: references.length, dependents: 0 };
    if (route.destination.op === Op.call) {
      this.#add({ ...place, bytes: 0, live: stored, refusal: ofCall });
    } else if (pending.retriesLeft === 0 || end === start) {
      this.#add({ ...place, bytes: 0, live: stored, refusal: ofNoRetries });
    } else {
      const spec = this.#core.peer.inbox.slice(start, end);
      const recipe = this.#recipeOf(pending, spec);
      this.#add({ ...place, bytes: spec.length, live: stored, recipe });
    }
  }

  /** The value of `reference`, which this thread has itself, can be put again from its slot. */
  shared({ sequence, slot }: Reference): void {
    if (!this.isKept || sequence === undefined) return;
    if (this.#remembered.has(sequence)) {
      this.revive(sequence);
      return;
    }
    const bytes = slot.state === 'record' ? slot.record.length : 0;
    this.#add({ first: sequence, count: 1, bytes, live: 1, dependents: 0, slot });
  }

  #recipeOf({ route, retriesLeft, rare = {} }: PendingRequest, spec: Uint8Array): Recipe {
    const { used = [], argumentsRow, dependenciesRow } = rare;
    const needs: number[] = [];
    const held: ObjectRef[] = [];
    const anchors: string[] = [];
    for (const ref of used) {
      const { id, entry } = referenceOf(ref);
      const sequence = this.#core.ids.ownSequence(id);
      if (isSystemId(id)) anchors.push(id);
      else if (sequence !== undefined && this.#remembered.has(sequence)) needs.push(sequence);
      else if (entry !== undefined) held.push(ref);
    }
    for (const need of needs) this.#remembered.get(need)!.dependents++;
    for (const ref of held) referenceOf(ref).users++;
    const rows = [argumentsRow, dependenciesRow].flatMap(
      (row) => (row && this.#core.objects.addRef(row.id)) ?? [],
    );
    return { route, spec, retriesLeft, isRunning: false, needs, held, rows, anchors };
  }

  #add(one: Remembered): void {
    for (let i = 0; i < one.count; i++) this.#remembered.set(one.first + i, one);
    this.#size++;
    this.#bytes += one.bytes;
    for (const oldest of this.#remembered.values()) {
      if (this.#size <= this.limits.tasks && this.#bytes <= this.limits.bytes) return;
      if (oldest.recipe?.isRunning !== true) this.#forget(oldest);
    }
  }

  /** This thread has one ref less to an object. */
  dropped(id: string): void {
    if (!this.isKept) return;
    this.#lookAtLent();
    const sequence = this.#core.ids.ownSequence(id);
    if (sequence === undefined || !this.#remembered.has(sequence)) return;
    if (this.#isAbsent(sequence)) this.#noteGone(sequence);
    else this.#lent.add(sequence);
  }

  /** Others tell nobody when they are done with an object: so some are looked at now and then. */
  #lookAtLent(): void {
    for (let i = Math.min(lookAtOnce, this.#lent.size); i > 0; i--) {
      const sequence = this.#lent.values().next().value!;
      this.#lent.delete(sequence);
      if (this.#isAbsent(sequence)) this.#noteGone(sequence);
      else this.#lent.add(sequence);
    }
  }

  #isAbsent(sequence: number): boolean {
    const { ids, objects } = this.#core;
    return objects.availability(ids.of(sequence)) === Availability.absent;
  }

  #noteGone(sequence: number): void {
    this.#lent.delete(sequence);
    const one = this.#remembered.get(sequence);
    if (one === undefined || this.#gone.has(sequence)) return;
    this.#gone.add(sequence);
    one.live--;
    this.forgetIfUseless(one);
  }

  /** Somebody refers to that result once more. */
  revive(sequence: number): void {
    if (this.#gone.delete(sequence)) this.#remembered.get(sequence)!.live++;
  }

  forgetIfUseless(one: Remembered): void {
    if (isUseless(one) && this.#remembered.get(one.first) === one) this.#forget(one);
  }

  /** And all that only this needs: a chain of them may be long. */
  #forget(one: Remembered): void {
    const useless = [one];
    for (let next = useless.pop(); next !== undefined; next = useless.pop()) {
      this.#remove(next);
      if (next.recipe === undefined) continue;
      for (const need of next.recipe.needs) {
        const needed = this.#remembered.get(need);
        if (needed === undefined) continue;
        needed.dependents--;
        if (isUseless(needed)) useless.push(needed);
      }
      this.#release(next.recipe);
    }
  }

  #remove({ first, count, bytes }: Remembered): void {
    for (let sequence = first; sequence < first + count; sequence++) {
      this.#remembered.delete(sequence);
      this.#gone.delete(sequence);
      this.#lent.delete(sequence);
    }
    this.#size--;
    this.#bytes -= bytes;
  }

  #release({ held, rows }: Recipe): void {
    const { isClosed, objects, values } = this.#core;
    if (isClosed) return;
    for (const { entry, generation } of rows) objects.dropRef(entry, generation);
    for (const ref of held) values.endUse(referenceOf(ref));
  }
}

function isUseless({ live, dependents, recipe }: Remembered): boolean {
  return live === 0 && dependents === 0 && recipe?.isRunning !== true;
}
