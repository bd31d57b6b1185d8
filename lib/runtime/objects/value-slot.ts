/**
 * The states of a value that a reference names, as this thread knows it.
 *
 *   pending --> value     a primitive, at hand
 *           --> record    an encoded value, at hand
 *           --> stored    in the object store, or lost from it and to be made again
 *           --> failed    it will never be
 *
 * A slot settles once, but what is found lost becomes pending again until it was made again; what
 * is freed becomes failed, whatever it was before. Listeners are told in the order in which they
 * came, synchronously, and must not throw.
 */
export type SlotState = 'pending' | 'value' | 'record' | 'stored' | 'failed';

/** Waits for a slot. */
export interface SlotListener {
  slotSettled(): void;
}

export class ValueSlot {
  #state: SlotState = 'pending';
  #content: unknown;
  /** Most slots have one, at most. */
  #listener: SlotListener | undefined;
  #moreListeners: SlotListener[] | undefined;

  get state(): SlotState {
    return this.#state;
  }

  /** State `value`. */
  get value(): unknown {
    return this.#content;
  }

  /** State `record`: bytes that only this slot has. */
  get record(): Uint8Array {
    return this.#content as Uint8Array;
  }

  /** State `failed`. */
  get error(): Error {
    return this.#content as Error;
  }

  settle(state: Exclude<SlotState, 'pending'>, content?: unknown): void {
    if (this.#state !== 'pending') return;
    this.#state = state;
    this.#content = content;
    const listener = this.#listener;
    const more = this.#moreListeners;
    this.#listener = undefined;
    this.#moreListeners = undefined;
    listener?.slotSettled();
    if (more !== undefined) for (const one of more) one.slotSettled();
  }

  /** From state `stored`: it is waited for anew. */
  reopen(): void {
    this.#state = 'pending';
  }

  /** Settles a slot as this one has. */
  copyTo(other: ValueSlot): void {
    if (this.#state !== 'pending') other.settle(this.#state, this.#content);
  }

  /** The value is given up. */
  free(error: Error): void {
    this.settle('failed', error);
    this.#state = 'failed';
    this.#content = error;
  }

  /** Tells `listener` once the slot has settled, which must not have happened yet. */
  addListener(listener: SlotListener): void {
    if (this.#listener === undefined && this.#moreListeners === undefined) {
      this.#listener = listener;
      return;
    }
    (this.#moreListeners ??= []).push(listener);
  }

  removeListener(listener: SlotListener): void {
    if (this.#listener === listener) {
      this.#listener = undefined;
      return;
    }
    const index = this.#moreListeners?.indexOf(listener) ?? -1;
    if (index >= 0) this.#moreListeners!.splice(index, 1);
  }
}

/** Calls `listener` once all slots have settled: now, if they have. */
export function whenAllSettled(slots: readonly ValueSlot[], listener: () => void): void {
  const pending = slots.filter((slot) => slot.state === 'pending');
  let left = pending.length;
  if (left === 0) listener();
  const slotSettled = () => {
    if (--left === 0) listener();
  };
  for (const slot of pending) slot.addListener({ slotSettled });
}
