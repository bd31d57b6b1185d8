import { inspect } from 'node:util';

const LISTED_ITEMS = 64;
const SAMPLES = 16;
const ONLY_OTHER_KEYS = { maxArrayLength: 0, depth: 0, customInspect: false } as const;

/** The most items for which room is made before they have been read. */
export const TRUSTED_COUNT = 1024;

/**
 * Whether an array has other keys than its items, or hardly any items; single holes are left to the
 * loop over the items. May say yes for a symbol or hidden key.
 */
export function needsKeys(array: readonly unknown[]): boolean {
  const length = array.length;
  if (length <= LISTED_ITEMS) {
    const keys = Object.keys(array);
    return keys.length !== length || (length > 0 && keys[length - 1] !== String(length - 1));
  }
  // Listing the keys of a long array costs more than writing it, and only inspect tells the other
  // keys without the items.
  if (!inspect(array, ONLY_OTHER_KEYS).endsWith(' more items ]')) return true;
  for (let i = 0; i < SAMPLES; i++) {
    if (!Object.hasOwn(array, Math.floor(((length - 1) * i) / (SAMPLES - 1)))) return true;
  }
  return false;
}

/** An array of holes, whose length costs no memory unless most of it will be filled. */
export function emptyArray(length: number, items: number): unknown[] {
  if (length <= TRUSTED_COUNT + items) return new Array<unknown>(length);
  const array: unknown[] = [];
  // A far item makes V8 keep the array as a dictionary; a bare length would reserve the room.
  array[length - 1] = undefined;
  Reflect.deleteProperty(array, length - 1);
  return array;
}

/** Defines instead of assigning: keys such as __proto__ stay data. */
export function setOwn(object: object, key: string | number, value: unknown): void {
  Object.defineProperty(object, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
