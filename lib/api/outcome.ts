import { invalidType } from '../common/validate.js';
import { ObjectRef, referenceOf } from '../runtime/objects/object-ref.js';
import { cancel } from './cancel.js';

/**
 * What becomes of one item: the task or call that is made for it, now or later, and how that ends.
 *
 *   pending --> value      it can be read
 *           --> failed     its ref has failed, or there is none
 *           --> cancelled  nobody wants it any more
 */
export class Outcome<T> {
  readonly #ownsRef: boolean;
  #state: 'pending' | 'value' | 'failed' | 'cancelled' = 'pending';
  #error: unknown;
  #ref: ObjectRef<T> | undefined;
  #listener: (() => void) | undefined;

  /** One that `ownsRef` gives its ref up as soon as the value has been read, or is not wanted. */
  constructor({ ownsRef }: { readonly ownsRef: boolean }) {
    this.#ownsRef = ownsRef;
  }

  get state(): 'pending' | 'value' | 'failed' | 'cancelled' {
    return this.#state;
  }

  /** What `await` of the ref would throw. State `failed`. */
  get error(): unknown {
    return this.#error;
  }

  /**
   * Makes the task or call; what that throws is how it ends. `ended` is called when it has ended,
   * also when it was cancelled, and must not throw.
   */
  begin(make: () => ObjectRef<T>, ended: () => void = () => undefined): void {
    try {
      const ref: unknown = make();
      if (!(ref instanceof ObjectRef)) throw invalidType('fn()', 'an ObjectRef', ref);
      this.#ref = ref as ObjectRef<T>;
    } catch (error) {
      this.#settle('failed', error);
      ended();
      return;
    }
    const reference = referenceOf(this.#ref);
    const { slot } = reference;
    reference.core.unobserved.observe(reference);
    const slotSettled = () => {
      if (slot.state === 'failed') this.#settle('failed', slot.error);
      else this.#settle('value');
      ended();
    };
    if (slot.state === 'pending') slot.addListener({ slotSettled });
    else slotSettled();
  }

  #settle(state: 'value' | 'failed', error?: unknown): void {
    if (this.#state !== 'pending') return;
    this.#state = state;
    this.#error = error;
    this.#listener?.();
  }

  /** Calls `listener`, which must not throw, once it has ended by itself: now, if it has. */
  whenSettled(listener: () => void): void {
    if (this.#state === 'pending') this.#listener = listener;
    else listener();
  }

  /** The value, once. Rejects with the error of one that has failed. */
  async read(): Promise<T> {
    if (this.#state === 'failed') throw this.#error;
    try {
      return await this.#ref!;
    } finally {
      this.#giveUp();
    }
  }

  /** Cancels it, if it has not ended. Its value will not be read. */
  drop(): void {
    if (this.#state === 'pending') {
      this.#state = 'cancelled';
      // Once the runtime has ended, there is nothing to cancel.
      if (this.#ref !== undefined) void cancel(this.#ref).catch(() => undefined);
    }
    this.#giveUp();
  }

  #giveUp(): void {
    if (this.#ownsRef) this.#ref?.[Symbol.dispose]();
  }
}
