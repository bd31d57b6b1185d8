import { GetTimeoutError } from '../common/errors.js';
import { startDeadline } from '../common/deadline.js';
import {
  checkBoolean,
  checkInteger,
  checkKeys,
  checkObject,
  invalidType,
  outOfRange,
} from '../common/validate.js';
import { assertNotShutDown, requireContext } from '../runtime/context.js';
import { assertNotImporting } from '../runtime/tasks/modules.js';
import { ObjectRef, referenceOf } from '../runtime/objects/object-ref.js';
import type { TypedArrayConstructor } from '../runtime/objects/shared-objects.js';
import { isTypedArrayConstructor } from '../serialization/views.js';
import { checkLimits, type Limits } from './limits.js';

/** How long to wait for values. */
export interface GetOptions {
  /** Milliseconds, or as `'5s'`; 0 polls. Default none. */
  timeout?: number | string;
  /** Rejects with its reason when aborted; cancels nothing. */
  signal?: AbortSignal;
}

/** What `wait` waits for, and how long. */
export interface WaitOptions extends GetOptions {
  /** How many refs; from 1 to as many as there are, otherwise a RangeError. Default 1. */
  count?: number;
}

/** The refs of an argument that is one, or an array of them. */
export function toRefs(name: string, value: unknown): readonly ObjectRef[] {
  if (value instanceof ObjectRef) return [value];
  checkRefs(name, value, 'an ObjectRef or an array of ObjectRefs');
  return value;
}

function checkRefs(
  name: string,
  value: unknown,
  expected = 'an array of ObjectRefs',
): asserts value is readonly ObjectRef[] {
  if (!Array.isArray(value)) throw invalidType(name, expected, value);
  value.forEach((ref: unknown, index) => {
    if (!(ref instanceof ObjectRef)) throw invalidType(`${name}[${index}]`, 'an ObjectRef', ref);
  });
}

/** How an object is kept. */
export interface PutOptions {
  /** The object is not evicted as long as the ref lives; default false. */
  pin?: boolean;
}

/** Copies a value into shared memory, where tasks and actors read it without copies. */
export function put<T>(value: T, options: PutOptions = {}): ObjectRef<T> {
  assertNotImporting('put()');
  checkObject('options', options);
  checkKeys('options', options, ['pin']);
  const { pin = false } = options;
  checkBoolean('options.pin', pin);
  if (value instanceof ObjectRef) {
    throw invalidType('value', 'a value, not an ObjectRef: it has a ref already', value);
  }
  return requireContext().core.values.put(value, pin) as ObjectRef<T>;
}

/**
 * Gives the objects up now, for all who have refs to them: getting one, or passing it to a task, is
 * an ObjectFreedError from then on. Its memory returns with the last view.
 */
export function free(refs: ObjectRef | readonly ObjectRef[]): void {
  assertNotImporting('free()');
  const all = toRefs('refs', refs);
  assertNotShutDown();
  if (all.length > 0) requireContext().core.values.free(all);
}

export type Values<Refs extends readonly ObjectRef[]> = {
  -readonly [Index in keyof Refs]: Refs[Index] extends ObjectRef<infer T> ? T : never;
};

/**
 * The value of a ref. Rejects with the ref's failure; with GetTimeoutError when the time is up: the
 * value may still come.
 */
export function get<T>(ref: ObjectRef<T>, options?: GetOptions): Promise<T>;
/** The values of several refs in their order: the first failure rejects at once. */
export function get<const Refs extends readonly ObjectRef[]>(
  refs: Refs,
  options?: GetOptions,
): Promise<Values<Refs>>;
export async function get(
  refs: ObjectRef | readonly ObjectRef[],
  options: GetOptions = {},
): Promise<unknown> {
  assertNotImporting('get()');
  const limits = checkLimits(options);
  const all = toRefs('refs', refs);
  assertNotShutDown();
  if (refs instanceof ObjectRef) return within(limits, all, () => read(refs));
  return within(limits, all, () => Promise.all(all.map(read)));
}

function read(ref: ObjectRef): Promise<unknown> {
  return referenceOf(ref).core.values.read(ref);
}

async function within(
  { timeout, signal }: Limits,
  refs: readonly ObjectRef[],
  start: () => Promise<unknown>,
): Promise<unknown> {
  signal?.throwIfAborted();
  if (timeout === 0 && refs.some(isPending)) throw timedOut(refs, 0);
  if (timeout === undefined && signal === undefined) return start();
  return new Promise((resolve, reject) => {
    const stop = startDeadline({ timeout, signal }, () => reject(timedOut(refs, timeout!)), reject);
    start().then(resolve, reject).finally(stop);
  });
}

function timedOut(refs: readonly ObjectRef[], timeout: number): GetTimeoutError {
  const pending = refs.filter(isPending).length;
  return new GetTimeoutError(`${pending} of ${refs.length} refs were not ready in ${timeout} ms`);
}

function isPending(ref: ObjectRef): boolean {
  return referenceOf(ref).slot.state === 'pending';
}

/** The refs that `wait` was given, sorted. */
export interface WaitResult<T> {
  /** At most `count` refs: the first in input order of those that have a value or have failed. */
  ready: ObjectRef<T>[];
  /** All others, in input order. */
  pending: ObjectRef<T>[];
}

/** Waits until `count` refs are ready, or the time is up; returns what is ready by then. */
export async function wait<T>(
  refs: readonly ObjectRef<T>[],
  options: WaitOptions = {},
): Promise<WaitResult<T>> {
  assertNotImporting('wait()');
  checkRefs('refs', refs);
  const { timeout, signal } = checkLimits(options, ['count', 'timeout', 'signal']);
  const count = checkCount(options.count, refs.length);
  assertNotShutDown();
  for (const ref of refs) referenceOf(ref).core.assertOpen();
  if (refs.length === 0) return { ready: [], pending: [] };
  signal?.throwIfAborted();
  for (const ref of refs) referenceOf(ref).core.lost.notice(referenceOf(ref));

  const missing = () => count - refs.filter((ref) => !isPending(ref)).length;
  if (timeout !== 0 && missing() > 0) await settled(refs, missing(), { timeout, signal });
  return split(refs, count);
}

function checkCount(count: number | undefined, refs: number): number {
  if (count === undefined) return Math.min(1, refs);
  if (refs === 0) throw outOfRange('options.count', 'left out when there are no refs', count);
  return checkInteger('options.count', count, 1, refs);
}

/** Resolves when `count` more of the refs have settled, or at the time-out. */
function settled(refs: readonly ObjectRef[], count: number, limits: Limits): Promise<void> {
  const pending = refs.filter(isPending).map((ref) => referenceOf(ref).slot);
  let left = count;
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      stop();
      for (const slot of pending) slot.removeListener(listener);
      settle();
    };
    const listener = {
      slotSettled() {
        if (--left === 0) finish(resolve);
      },
    };
    const stop = startDeadline(
      limits,
      () => finish(resolve),
      (reason) => finish(() => reject(reason)),
    );
    for (const slot of pending) slot.addListener(listener);
  });
}

function observed<T>(ref: ObjectRef<T>): ObjectRef<T> {
  const reference = referenceOf(ref);
  reference.core.unobserved.observe(reference);
  return ref;
}

function split<T>(refs: readonly ObjectRef<T>[], count: number): WaitResult<T> {
  const ready: ObjectRef<T>[] = [];
  const pending: ObjectRef<T>[] = [];
  for (const ref of refs) {
    if (ready.length < count && !isPending(ref)) ready.push(observed(ref));
    else pending.push(ref);
  }
  return { ready, pending };
}

/**
 * A typed array in shared memory. The first `put`, return or argument in which it is the whole
 * value seals it where it lies, with no copy; from then on it must not be written. Inside a larger
 * value, and again, it is copied.
 */
export function allocate<Type extends TypedArrayConstructor>(
  type: Type,
  length: number,
): Type['prototype'] {
  assertNotImporting('allocate()');
  checkInteger('length', length, 0);
  if (!isTypedArrayConstructor(type)) {
    throw invalidType('type', 'a typed array constructor', type);
  }
  const { objects, room } = requireContext().core;
  return room.now(length * type.BYTES_PER_ELEMENT, () => objects.allocate(type, length));
}
