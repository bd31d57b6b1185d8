import type { Core } from '../core.js';
import { ValueSlot } from './value-slot.js';

/** What a core keeps of a ref. Several ObjectRefs never share one. */
export class Reference {
  readonly slot = new ValueSlot();
  readonly core: Core;
  /** The owner's number of the task or put; undefined for a ref that somebody else owns. */
  readonly sequence: number | undefined;
  /** The first of several that one request makes: it stands for the request. */
  primary: Reference | undefined;
  /** Made by a call of an actor. */
  isCall = false;
  /** The row in the object table on which this process has counted the ref, if it has. */
  entry: number | undefined;
  generation = 0;
  /** This process holds the object of that row by a pin, as long as the ref lives. */
  pinned = false;
  /** The row stands for a value to come, which is due when the slot settles. */
  promised = false;
  /** Requests that need it until they are answered: its own, and those it is an argument of. */
  users = 0;
  disposed = false;
  /** Somebody has looked at how it ends, or will. */
  observed = false;
  /** Milliseconds after its core began. */
  readonly madeAt: number;
  #id: string | undefined;

  constructor(core: Core, sequence: number | undefined, id?: string) {
    this.core = core;
    this.sequence = sequence;
    this.#id = id;
    this.madeAt = Date.now() - core.startedAt;
    core.callSites?.note(this);
  }

  get id(): string {
    return (this.#id ??= this.core.ids.of(this.sequence!));
  }
}

let referenceIn: (ref: ObjectRef) => Reference;

/**
 * Names a value that a task makes, or that `put` has made. `await ref` gives the value; as an
 * argument of a task it stands for the value, without a round trip through this thread.
 */
export class ObjectRef<T = unknown> implements PromiseLike<T>, Disposable {
  readonly #reference: Reference;

  /** @internal */
  constructor(reference: Reference) {
    this.#reference = reference;
  }

  static {
    referenceIn = (ref) => ref.#reference;
  }

  /** 32 hex digits, unique across machines. */
  get id(): string {
    return this.#reference.id;
  }

  /** As `get(ref).then(...)`: what `await` calls, as often as one likes. */
  then<V = T, E = never>(
    onValue?: ((value: T) => V | PromiseLike<V>) | null,
    onError?: ((reason: unknown) => E | PromiseLike<E>) | null,
  ): Promise<V | E> {
    return (this.#reference.core.values.read(this) as Promise<T>).then(onValue, onError);
  }

  /** As `get(ref).catch(...)`. */
  catch<E = never>(onError?: ((reason: unknown) => E | PromiseLike<E>) | null): Promise<T | E> {
    return this.then(null, onError);
  }

  /** As `get(ref).finally(...)`. */
  finally(onSettled?: (() => void) | null): Promise<T> {
    return this.then().finally(onSettled);
  }

  /** Gives the ref up now, not when it is collected. Values already got stay. */
  [Symbol.dispose](): void {
    this.#reference.core.values.dispose(this.#reference);
  }

  /** `'ObjectRef(<id>)'` */
  toString(): string {
    return `ObjectRef(${this.id})`;
  }
}

export function referenceOf(ref: ObjectRef): Reference {
  return referenceIn(ref);
}

export function isRef(value: unknown): value is ObjectRef {
  return value instanceof ObjectRef;
}
