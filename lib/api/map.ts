import {
  checkBoolean,
  checkInteger,
  checkKeys,
  checkObject,
  checkSignal,
  invalidType,
} from '../common/validate.js';
import { requireContext } from '../runtime/context.js';
import type { ObjectRef } from '../runtime/objects/object-ref.js';
import type { AnyFunction } from '../runtime/tasks/functions.js';
import { assertNotImporting } from '../runtime/tasks/modules.js';
import { native } from '../store/binding.js';
import { Outcome } from './outcome.js';
import { givenBy } from './remote.js';
import { isAnyIterable, ValueFlow } from './value-flow.js';

/** How `map` goes through its items. */
export interface MapOptions {
  /**
   * How many items may be on their way, from the source until their value is handed out; default
   * twice the cpus of the runtime: for each a task that runs and one that comes next.
   */
  concurrency?: number;
  /** Values come in the order of their items (default), or as soon as they are there. */
  ordered?: boolean;
  /** Ends it with its reason, and cancels the tasks. */
  signal?: AbortSignal;
}

/** A remote function, or what its `options()` give. */
export interface Mappable<Item, T> {
  /** Submits a task for an item. */
  readonly remote: (item: Item) => ObjectRef<T>;
}

/**
 * The values of a remote function for each of the items, which may be refs; to be iterated once. An
 * item is taken from its source when there is a slot for it, the first ones when the first value is
 * asked for. The first failure throws what `await` of its ref would; values that are there before
 * it come first. Then, and when the loop is left early, tasks on their way are cancelled and the
 * source is closed.
 */
export function map<Item, T>(
  fn: Mappable<Item, T>,
  items: Iterable<NoInfer<Item>> | AsyncIterable<NoInfer<Item>>,
  options: MapOptions = {},
): AsyncIterableIterator<T, undefined> {
  assertNotImporting('map()');
  checkMappable(fn);
  if (!isAnyIterable(items)) {
    throw invalidType('items', 'an iterable or an async iterable', items);
  }
  const { concurrency, ordered, signal } = checkOptions(options);
  let width = concurrency;
  const step = {
    width: () => (width ??= defaultConcurrency()),
    begin(item: Item) {
      const outcome = new Outcome<T>({ ownsRef: true });
      outcome.begin(() => fn.remote(item));
      return outcome;
    },
  };
  return new ValueFlow<Item, T>(items, step, { ordered, signal });
}

function checkMappable(fn: unknown): void {
  const submit = (fn as { readonly remote?: unknown } | undefined | null)?.remote;
  const gives = typeof submit === 'function' ? givenBy(submit as AnyFunction) : undefined;
  if (gives === undefined) throw invalidType('fn', 'a function made by remote()', fn);
  if (gives === 'ref') return;
  const why = gives === 'stream' ? 'a generator gives a stream' : '"returns" gives several refs';
  throw invalidType('fn', `a remote function with one result per call: ${why}`, fn);
}

function checkOptions(options: MapOptions) {
  checkObject('options', options);
  checkKeys('options', options, ['concurrency', 'ordered', 'signal']);
  const { concurrency, ordered = true, signal } = options;
  if (concurrency !== undefined) checkInteger('options.concurrency', concurrency, 1);
  checkBoolean('options.ordered', ordered);
  if (signal !== undefined) checkSignal('options.signal', signal);
  return { concurrency, ordered, signal };
}

function defaultConcurrency(): number {
  const resources = native.peerResources(requireContext().core.peer.handle);
  const [, cpus] = resources.find(([name]) => name === 'cpu')!;
  return Math.max(2, Math.ceil(2 * cpus));
}
