import { ObjectFreedError, RuntimeShutdownError, TaskCancelledError } from '../../common/errors.js';
import type { ObjectRef, Reference } from './object-ref.js';

/** What the user has asked for is no news. */
const expected = [TaskCancelledError, ObjectFreedError, RuntimeShutdownError];

/** For ever, as the registry of collected refs is. */
const collected = new FinalizationRegistry<Reference>((reference) =>
  reference.core.unobserved.report(reference),
);

/**
 * Failures of refs that nobody has looked at: each is a process warning once its ref has been
 * collected, or when the runtime or the process ends. To look is to wait for the value, to pass the
 * ref to a task, or to put it into a value that travels.
 */
export class UnobservedFailures {
  readonly #messages = new Map<Reference, string>();
  #reportsAtExit = false;
  readonly #reportAll = () => this.reportAll();

  /** `reference`, of `ref`, has failed; `what` made it. */
  add(ref: ObjectRef, reference: Reference, what: string): void {
    const { error } = reference.slot;
    if (reference.observed || expected.some((type) => error instanceof type)) return;
    this.#messages.set(reference, `Nobody has looked at the failure of ${what}: ${error.message}`);
    collected.register(ref, reference, reference);
    if (this.#reportsAtExit) return;
    this.#reportsAtExit = true;
    process.once('beforeExit', this.#reportAll);
  }

  /** Somebody looks at the ref. */
  observe(looked: Reference): Reference {
    const reference = looked.primary ?? looked;
    reference.observed = true;
    if (this.#messages.size > 0 && this.#messages.delete(reference)) {
      collected.unregister(reference);
    }
    return looked;
  }

  report(reference: Reference): void {
    const message = this.#messages.get(reference);
    if (message === undefined) return;
    this.#messages.delete(reference);
    process.emitWarning(message, { type: 'UnobservedFailure', code: 'MOBULA_UNOBSERVED' });
  }

  reportAll(): void {
    if (!this.#reportsAtExit) return;
    this.#reportsAtExit = false;
    process.off('beforeExit', this.#reportAll);
    for (const reference of [...this.#messages.keys()]) {
      collected.unregister(reference);
      this.report(reference);
    }
  }
}
