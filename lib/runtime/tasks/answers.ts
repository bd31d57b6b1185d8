import { ActorDiedError, TaskError, TaskTimeoutError } from '../../common/errors.js';
import type { Codec } from '../../serialization/codec.js';
import { maxPayloadBytes } from '../../transport/wire.js';

/** Less than a record, for what else is said of it. */
const maxErrorBytes = maxPayloadBytes - 1024;

/** Flags of a completion: what its payload is. */
export const Answer = {
  /** A record. */
  value: 0,
  /** Empty: the value is in the store, under the id of the task's ref. */
  stored: 1,
  /** A record of what the user's code threw. */
  thrown: 2,
  /** A record of an error that says why the user's code did not run or end. */
  failed: 3,
} as const;

/** The error of a ref whose task threw `cause`. */
export function taskError(what: string, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TaskError(`${what} failed: ${reason}`, { cause });
}

export function outOfTime(what: string, timeout: number): TaskTimeoutError {
  return new TaskTimeoutError(`${what} took longer than its time-out of ${timeout} ms`);
}

export function actorDied(name: string, why: string, cause?: unknown): ActorDiedError {
  const options = cause === undefined ? undefined : { cause };
  return new ActorDiedError(`The actor ${name} has died: ${why}`, options);
}

/** An error as it can travel: itself, or what can be said of it. */
export function encodableError(codec: Codec, error: unknown): unknown {
  try {
    codec.encode(error);
    return error;
  } catch {
    if (!(error instanceof Error)) return new Error(String(error));
    const plain = new Error(error.message);
    plain.name = error.name;
    if (error.stack !== undefined) plain.stack = error.stack;
    return plain;
  }
}

/** A record of an error, cut down to its message when it would be larger than a record may be. */
export function encodeError(codec: Codec, error: unknown): Uint8Array {
  const encoded = codec.encode(shortened(codec, encodableError(codec, error)));
  const bytes = new Uint8Array(encoded.size);
  encoded.write(bytes, 0);
  return bytes;
}

/** Errors travel in records: what makes one too large for that is left behind. */
export function shortened(codec: Codec, error: unknown): unknown {
  const encoded = codec.encode(error);
  if (!encoded.outOfBand && encoded.size <= maxErrorBytes) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const short = new Error(message.slice(0, 1000));
  short.name = name;
  return short;
}
