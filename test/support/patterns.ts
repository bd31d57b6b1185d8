/** Arrays whose every byte is known from a seed, at little more than the price of a copy. */
import { actor, release, remote } from 'mobula';

/** Each stretch of so many words says where it belongs. */
const stretch = 512;

export function pattern(seed: number, length: number): Uint32Array {
  const values = new Uint32Array(length);
  for (let i = 0; i < Math.min(stretch, length); i++) values[i] = Math.imul(seed + i, 0x9e3779b1);
  for (let made = stretch; made < length; made *= 2) values.copyWithin(made, 0, made);
  for (let i = 0; i < length; i += stretch) values[i] = seed ^ i;
  return values;
}

/** Whether all of these bytes are as {@link pattern} makes them. */
export function isPattern(values: Uint32Array, seed: number, length: number): boolean {
  const made = pattern(seed, length);
  return values.length === length && Buffer.compare(bytesOf(values), bytesOf(made)) === 0;
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

export const makePattern = remote(pattern);

export const checkPattern = remote((values: Uint32Array, seed: number, length: number) => {
  const isWhole = isPattern(values, seed, length);
  release(values);
  return isWhole;
});

const kept: { values: Uint32Array; seed: number; length: number }[] = [];

/** Keeps the arrays that it has got, and never lets go of them. */
export const PatternHoarder = actor(
  class {
    hoard(values: Uint32Array, seed: number, length: number): boolean {
      kept.push({ values, seed, length });
      return isPattern(values, seed, length);
    }

    areWhole(): boolean {
      return kept.every(({ values, seed, length }) => isPattern(values, seed, length));
    }
  },
);
