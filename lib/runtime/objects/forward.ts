import type { Encoded } from '../../serialization/codec.js';
import { RecordKind } from '../../serialization/tags.js';
import { idBytes, readId, writeId } from './ids.js';
import type { ObjectRef } from './object-ref.js';

/** A record whose value is that of another object in the store, which must live as long. */
export function forwardTo(ref: ObjectRef): Encoded {
  return {
    size: 1 + idBytes,
    outOfBand: false,
    references: [ref],
    write(target, offset) {
      target[offset] = RecordKind.Forward;
      writeId(ref.id, target, offset + 1);
    },
  };
}

/** The id of the object whose value a record stands for, if it is such a record. */
export function forwardTarget(record: Uint8Array): string | undefined {
  return record[0] === RecordKind.Forward ? readId(record, 1) : undefined;
}
