import { native } from '../../store/binding.js';
import type { Held } from '../../store/view-cache.js';

/**
 * What one reading of an object, and so one value, holds of it. Readings of one object share its
 * buffer and have a hold each. A hold ends when all the views that the reading made were released;
 * else with the buffer, when the last view on it in any thread is collected.
 */
class Hold {
  readonly #store: number;
  /** Keeps the buffer where the next reading finds it, since the store counts holds by buffer. */
  readonly #held: Held;
  #views: number;

  constructor(store: number, held: Held, views: number) {
    this.#store = store;
    this.#held = held;
    this.#views = views;
  }

  releaseView(): void {
    this.#views--;
    if (this.#views > 0) return;
    native.storeReleaseView(this.#store, this.#held.entry, this.#held.generation);
  }
}

/** The views that one reading has made, and the instances for which it has made some of them. */
interface Views {
  readonly views: readonly object[];
  readonly instances: readonly { readonly instance: object; readonly views: readonly object[] }[];
}

/** The views that are not released yet. */
const holds = new WeakMap<object, Hold>();
/** Instances whose serializers may have hidden the views that they were made from. */
const parts = new WeakMap<object, readonly object[]>();

/**
 * The views of one reading share the hold that it has made, which ends at once when there are none.
 */
export function holdFor(store: number, held: Held, { views, instances }: Views): void {
  if (views.length === 0) {
    native.storeReleaseView(store, held.entry, held.generation);
    return;
  }
  const hold = new Hold(store, held, views.length);
  for (const view of views) holds.set(view, hold);
  for (const { instance, views: hidden } of instances) parts.set(instance, hidden);
}

/** Releases every view on the store in a value that is not released yet. */
export function releaseViewsIn(value: unknown): void {
  const met = new Set<object>();
  const left: unknown[] = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== 'object' || next === null || met.has(next)) continue;
    met.add(next);
    releaseView(next);
    if (ArrayBuffer.isView(next)) continue;
    for (const part of partsOf(next)) left.push(part);
  }
}

function releaseView(view: object): void {
  const hold = holds.get(view);
  if (hold === undefined) return;
  holds.delete(view);
  hold.releaseView();
}

function* partsOf(value: object): Generator {
  yield* parts.get(value) ?? [];
  if (value instanceof Map) yield* value.keys();
  if (value instanceof Map || value instanceof Set) yield* value.values();
  for (const key of Object.keys(value)) {
    // A getter may do anything; values that were read have none.
    const property = Object.getOwnPropertyDescriptor(value, key);
    yield property?.value;
  }
  if (value instanceof Error) yield value.cause;
}
