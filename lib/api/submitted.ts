import type { ObjectRef } from '../runtime/objects/object-ref.js';
import type { ObjectStream } from '../runtime/tasks/object-stream.js';

/** An argument of a task or a call: a value, or a ref that is resolved before the call. */
export type Argument<T> = T | ObjectRef<T>;
export type Arguments<A extends readonly unknown[]> = { [Index in keyof A]: Argument<A[Index]> };

type AnyGenerator<T> = Generator<T, unknown, never> | AsyncGenerator<T, unknown, never>;

/** The refs to the elements of a returned array. */
type Results<R> = R extends readonly unknown[]
  ? { -readonly [Index in keyof R]: ObjectRef<R[Index]> }
  : ObjectRef[];

/**
 * What a task or a call that returns `R` gives, submitted with the options `O`: a ref, for which
 * promises and refs in them are awaited; a stream for a generator; with `returns` an array of refs.
 */
export type Submitted<R, O extends object> = [R] extends [never]
  ? ObjectRef<never>
  : [R] extends [AnyGenerator<infer T>]
    ? ObjectStream<Awaited<T>>
    : O extends { readonly returns: infer N }
      ? N extends 1
        ? ObjectRef<Awaited<R>>
        : Results<Awaited<R>>
      : ObjectRef<Awaited<R>>;
