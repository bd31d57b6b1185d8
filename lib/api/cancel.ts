import { checkBoolean, checkKeys, checkObject, invalidType } from '../common/validate.js';
import { ObjectRef, referenceOf } from '../runtime/objects/object-ref.js';
import { assertNotImporting } from '../runtime/tasks/modules.js';
import { ObjectStream } from '../runtime/tasks/object-stream.js';
import type { CancelOptions as Checked } from '../runtime/tasks/requests.js';

/** How far a cancellation goes. */
export interface CancelOptions {
  /** End the worker of a function that does not yield. Default false. */
  force?: boolean;
  /** Also cancel what the task has submitted. Default true. */
  recursive?: boolean;
}

function checkOptions(options: CancelOptions): Checked {
  checkObject('options', options);
  checkKeys('options', options, ['force', 'recursive']);
  const { force = false, recursive = true } = options;
  checkBoolean('options.force', force);
  checkBoolean('options.recursive', recursive);
  return { force, recursive };
}

/**
 * Cancels the task or call behind a ref. True: it was queued or running, and its ref fails now with
 * TaskCancelledError; the function, if it runs, finds its `context().signal` aborted. False: it had
 * finished.
 */
export async function cancel(
  target: ObjectRef | ObjectStream,
  options: CancelOptions = {},
): Promise<boolean> {
  assertNotImporting('cancel()');
  const checked = checkOptions(options);
  if (target instanceof ObjectStream) return ObjectStream.readerOf(target).cancel(checked);
  if (!(target instanceof ObjectRef)) {
    throw invalidType('target', 'an ObjectRef or an ObjectStream', target);
  }
  const reference = referenceOf(target);
  const { core } = reference;
  core.assertOpen();
  if (checked.force && reference.isCall) {
    throw new TypeError('force is for tasks: end an actor by kill()');
  }
  const { sequence } = reference.primary ?? reference;
  if (sequence !== undefined) return core.requests.cancel(sequence, checked);
  if (reference.slot.state !== 'pending') return false;
  return core.cancellations.ask(reference.id, checked);
}
