import type { Core } from '../core.js';
import { isItem, isPut } from '../objects/ids.js';
import { ObjectRef, Reference, referenceOf } from '../objects/object-ref.js';
import { Availability, lost } from '../objects/shared-objects.js';
import type { ValueSlot } from '../objects/value-slot.js';
import type { Recipe, Remembered } from './lineage.js';
import { PendingRequest } from './request.js';
import { ResultRefs } from './result-sinks.js';
import type { Results } from './results.js';

/** What becomes of a lost object. Neither: it is there, or will be. */
export interface Verdict {
  /** Why it cannot be made again. */
  readonly why?: string;
  /** To be asked again a little later. */
  readonly isBusy?: boolean;
}

/** Of {@link Requests}. */
export interface Repeating {
  readonly results: Results;
  /** Sends an answered request once more, or fails it, once all that it needs has settled. */
  repeat(pending: PendingRequest, needs: readonly ObjectRef[], spec: Uint8Array): void;
}

const underWay: Verdict = {};
const busy: Verdict = { isBusy: true };

const ofPut = 'it was put, and evicted; only results of tasks are made again';
const ofItem = 'it is an item of a stream, and was evicted; only results of tasks are made again';
const forgotten =
  'it was evicted, and its task is remembered no longer: so many others have come since';
const noRetries = 'it was evicted, and each time that it is made again uses up one of the retries';

/**
 * Makes lost objects again that its thread owns, by running their tasks once more, those whose
 * results these need first.
 *
 * 1. An object that is made again is promised by its owner until it is there or has failed: whoever
 *    looks for it meanwhile finds it pending.
 * 2. What runs once more has its number, and so its results their ids; there is one such request of
 *    a task at a time. Nobody but itself has the refs that it settles.
 * 3. Of several results of a task, those that are there stay as they are.
 * 4. Each time uses up one of the task's retries, as does each crash meanwhile.
 */
export class Reconstruction {
  readonly #core: Core;
  readonly #requests: Repeating;
  /** Those whose needs were not looked at yet. A chain of them may be long. */
  readonly #begun: { readonly pending: PendingRequest; readonly recipe: Recipe }[] = [];

  constructor(core: Core, requests: Repeating) {
    this.#core = core;
    this.#requests = requests;
  }

  /** Begins to make an object of this thread's again, if it is lost. */
  remake(id: string): Verdict {
    if (this.#availability(id) !== Availability.lost) return underWay;
    const verdict = this.#begin(id);
    for (let next = this.#begun.pop(); next !== undefined; next = this.#begun.pop()) {
      const { pending, recipe } = next;
      this.#requests.repeat(pending, this.#needsOf(recipe), recipe.spec);
    }
    return verdict;
  }

  #availability(id: string): number {
    return this.#core.objects.availability(id);
  }

  #begin(id: string): Verdict {
    const sequence = this.#core.ids.ownSequence(id);
    const one = sequence === undefined ? undefined : this.#core.lineage.find(sequence);
    if (one === undefined) return { why: whyUnknown(id) };
    const { refusal, slot, recipe } = one;
    if (refusal !== undefined) return { why: refusal };
    try {
      if (recipe !== undefined) return this.#beginTask(one, recipe);
      this.#putAgain(sequence!, slot!);
    } catch (error) {
      return { why: `it was evicted, and could not be made again: ${String(error)}` };
    }
    return underWay;
  }

  #putAgain(sequence: number, slot: ValueSlot): void {
    const reference = new Reference(this.#core, sequence);
    const ref = new ObjectRef(reference);
    slot.copyTo(reference.slot);
    this.#promise(reference, ref);
    this.#core.values.keepPromise(reference);
    ref[Symbol.dispose]();
  }

  #beginTask(one: Remembered, recipe: Recipe): Verdict {
    if (recipe.isRunning) return busy;
    if (recipe.retriesLeft === 0) return { why: noRetries };
    const pending = this.#requestOf(one, recipe);
    recipe.isRunning = true;
    pending.retriesLeft = recipe.retriesLeft - 1;
    pending.whenEnded = () => {
      recipe.retriesLeft = pending.retriesLeft;
      recipe.isRunning = false;
      this.#core.lineage.forgetIfUseless(one);
    };
    this.#begun.push({ pending, recipe });
    return underWay;
  }

  #requestOf({ first, count }: Remembered, { route }: Recipe): PendingRequest {
    const reference = new Reference(this.#core, first);
    const ref = new ObjectRef(reference);
    const pending = new PendingRequest(reference, ref, route, undefined);
    let refs: readonly ObjectRef[] = [ref];
    if (count > 1) {
      const results = new ResultRefs(
        this.#core,
        reference,
        ref,
        count,
        this.#requests.results.settle,
      );
      pending.deliverTo(results);
      ({ refs } = results);
    }
    for (const one of refs) {
      const result = referenceOf(one);
      result.observed = result.disposed = true;
      const found = this.#availability(result.id);
      const isMissing = found === Availability.lost || found === Availability.absent;
      if (isMissing) this.#promise(result, one);
    }
    return pending;
  }

  #promise(reference: Reference, ref: ObjectRef): void {
    this.#core.lineage.revive(reference.sequence!);
    reference.promised = true;
    this.#core.references.count(ref, reference, this.#core.objects.promise(reference.id));
  }

  /** Refs that settle when what the task needs is there, or will never be. */
  #needsOf({ needs, held, rows, anchors }: Recipe): ObjectRef[] {
    const own = needs.map((sequence) => this.#need(this.#core.ids.of(sequence)));
    const gone = rows.find(({ id }) => this.#availability(id) !== Availability.ready);
    if (gone !== undefined)
      own.push(this.#failed(gone.id, 'the arguments of its task were evicted'));
    const ended = anchors.find((id) => this.#availability(id) !== Availability.ready);
    if (ended !== undefined) own.push(this.#failed(ended, 'an actor of the arguments has ended'));
    for (const ref of held) this.#core.lost.notice(referenceOf(ref));
    return [...own, ...held];
  }

  #need(id: string): ObjectRef {
    const found = this.#availability(id);
    const isMissing = found === Availability.lost || found === Availability.absent;
    const { why } = isMissing ? this.#begin(id) : underWay;
    if (why !== undefined) return this.#failed(id, why);
    const ref = this.#core.references.borrow(id);
    // The request uses it until its end.
    referenceOf(ref).disposed = true;
    return ref;
  }

  #failed(id: string, why: string): ObjectRef {
    const reference = new Reference(this.#core, undefined, id);
    reference.slot.settle('failed', lost(id, why));
    return new ObjectRef(reference);
  }
}

function whyUnknown(id: string): string {
  if (isPut(id)) return ofPut;
  return isItem(id) ? ofItem : forgotten;
}
