import {
  checkFunction,
  checkKeys,
  checkObject,
  checkString,
  invalidType,
  outOfRange,
} from '../common/validate.js';
import { releaseViewsIn } from '../runtime/objects/holds.js';
import { registry } from '../runtime/objects/registered.js';
import type { Serializer } from '../serialization/registry.js';

export type { Serializer } from '../serialization/registry.js';

const optionNames = ['name', 'encode', 'decode'] as const;

/** Objects of these classes are never looked up: their kind says how they travel. */
const plainClasses: readonly unknown[] = [Object, Array];

/**
 * Makes the instances of a class keep it wherever they travel. To be called at the top level of a
 * module that both sides import, such as the one that defines the class. It goes by the exact
 * class: a subclass is registered for itself, or travels as a plain object.
 */
export function register<T extends object, D>(
  type: abstract new (...args: never[]) => T,
  serializer: Serializer<T, D>,
): void {
  checkFunction('type', type);
  const prototype: unknown = type.prototype;
  if (typeof prototype !== 'object' || prototype === null || plainClasses.includes(type)) {
    throw invalidType('type', 'a class other than Object and Array', type);
  }
  checkObject('serializer', serializer);
  checkKeys('serializer', serializer, optionNames);
  checkString('serializer.name', serializer.name);
  if (serializer.name === '') throw outOfRange('serializer.name', 'not empty', serializer.name);
  for (const method of ['encode', 'decode']) {
    checkFunction(`serializer.${method}`, Reflect.get(serializer, method));
  }
  registry.add<T, D>(type, {
    name: serializer.name,
    encode: (value) => serializer.encode(value),
    decode: (data) => serializer.decode(data),
  });
}

/**
 * The caller's promise not to touch the zero-copy arrays in a got value again: it gives up the
 * value's hold on shared memory now. Otherwise the hold ends when the arrays are collected, which
 * never happens inside a synchronous loop. Other values got from the same ref keep theirs. Arrays
 * that were derived from those of the value are as good as released; copies and what has been
 * released before are left alone. Of a part of a value only that part is released, and the hold
 * ends when all its parts are.
 */
export function release(value: unknown): void {
  releaseViewsIn(value);
}
