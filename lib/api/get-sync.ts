import { GetTimeoutError, MobulaError } from '../common/errors.js';
import { checkDuration, checkKeys, checkObject } from '../common/validate.js';
import { waitBlocked } from '../runtime/blocking-wait.js';
import type { Core } from '../runtime/core.js';
import { requireContext } from '../runtime/context.js';
import { ObjectRef, referenceOf, type Reference } from '../runtime/objects/object-ref.js';
import { assertNotImporting } from '../runtime/tasks/modules.js';
import { currentTask } from '../runtime/tasks/running-task.js';
import { toRefs, type Values } from './objects.js';

/** How long `getSync` blocks. */
export interface GetSyncOptions {
  /** Milliseconds, or as `'5s'`; 0 polls. Default none. GetTimeoutError when it has passed. */
  timeout?: number | string;
}

/**
 * As `get`, but blocks this thread until the value is there. In a task the slot is lent out
 * meanwhile; in an actor that shares its thread with others it throws unless the value is there.
 */
export function getSync<T>(ref: ObjectRef<T>, options?: GetSyncOptions): T;
/** The values of several refs in their order. */
export function getSync<const Refs extends readonly ObjectRef[]>(
  refs: Refs,
  options?: GetSyncOptions,
): Values<Refs>;
export function getSync(
  refs: ObjectRef | readonly ObjectRef[],
  options: GetSyncOptions = {},
): unknown {
  assertNotImporting('getSync()');
  checkObject('options', options);
  checkKeys('options', options, ['timeout']);
  const timeout =
    options.timeout === undefined ? Infinity : checkDuration('options.timeout', options.timeout);
  const values = readAll(toRefs('refs', refs).map(referenceOf), timeout);
  return refs instanceof ObjectRef ? values[0] : values;
}

function readAll(references: readonly Reference[], timeout: number): unknown[] {
  const { core, mayBlock } = requireContext();
  for (const reference of references) {
    core.values.assertUsable(reference);
    core.unobserved.observe(reference);
  }
  const deadline = performance.now() + timeout;
  const values: unknown[] = [];
  while (values.length < references.length) {
    if (isAnyPending(references)) {
      if (!mayBlock && currentTask()?.actorId !== undefined) throw wouldBlock();
      waitBlocked(core, references, Math.max(0, deadline - performance.now()));
    }
    const failed = references.find(({ slot }) => slot.state === 'failed');
    if (failed !== undefined) throw failed.slot.error;
    if (isAnyPending(references)) throw timedOut(references, timeout);
    readMore(core, references, values);
  }
  return values;
}

/** As far as they are there: one may have to be made again. */
function readMore(core: Core, references: readonly Reference[], values: unknown[]): void {
  while (values.length < references.length) {
    const found = core.values.readOrRecover(references[values.length]!);
    if (found === undefined) return;
    values.push(found.value);
  }
}

function isAnyPending(references: readonly Reference[]): boolean {
  return references.some(({ slot }) => slot.state === 'pending');
}

function timedOut(references: readonly Reference[], timeout: number): GetTimeoutError {
  const pending = references.filter(({ slot }) => slot.state === 'pending').length;
  const count = `${pending} of ${references.length} refs`;
  return new GetTimeoutError(`${count} were not ready in ${timeout} ms`);
}

function wouldBlock(): MobulaError {
  return new MobulaError(
    'MOBULA_WOULD_BLOCK',
    'getSync() would block all actors on this thread: await the ref, ' +
      "or give the actor the option isolation: 'thread'",
  );
}
