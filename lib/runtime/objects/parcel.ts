import type { Core } from '../core.js';
import { ObjectRef, referenceOf } from './object-ref.js';
import { whenAllSettled } from './value-slot.js';

/**
 * A value on its way through somebody who does not look into it, and need not know its classes: its
 * record, or a ref to it.
 */
export type Parcel = Uint8Array | ObjectRef;

/**
 * Larger records go through the store. Below, a queue was two to three times as fast with records
 * in its calls; above, two to ten times with refs: the call would take an object of its own.
 */
const recordBytes = 1024;

/** Values that are large, have arrays of 1 KiB or more, or contain refs or handles, get a ref. */
export function pack(core: Core, value: unknown): Parcel {
  core.assertOpen();
  const allocated = core.values.putAllocated(value);
  if (allocated !== undefined) return allocated;
  const encoded = core.codec.encode(value);
  if (encoded.outOfBand || encoded.size >= recordBytes || encoded.references.length > 0) {
    return core.values.putEncoded(encoded);
  }
  const record = new Uint8Array(encoded.size);
  encoded.write(record, 0);
  return record;
}

/** The values, in their order; arrays in what got a ref are zero-copy views. Gives up the refs. */
export async function unpack(core: Core, parcels: readonly Parcel[]): Promise<unknown[]> {
  const refs = parcels.filter((parcel) => parcel instanceof ObjectRef);
  try {
    await settled(refs);
    await core.room.relief;
    return parcels.map((parcel) =>
      parcel instanceof ObjectRef
        ? core.values.readNow(referenceOf(parcel))
        : core.codec.decode(parcel),
    );
  } finally {
    giveUp(refs);
  }
}

function settled(refs: readonly ObjectRef[]): Promise<void> {
  return new Promise((resolve) => {
    whenAllSettled(
      refs.map((ref) => referenceOf(ref).slot),
      resolve,
    );
  });
}

/** The refs among the parcels are not needed here any more. */
export function giveUp(parcels: readonly Parcel[]): void {
  for (const parcel of parcels) {
    if (parcel instanceof ObjectRef) parcel[Symbol.dispose]();
  }
}
