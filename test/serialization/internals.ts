import type * as CodecModule from '../../lib/serialization/codec.js';
import type * as RegistryModule from '../../lib/serialization/registry.js';

async function load(file: string): Promise<unknown> {
  return import(new URL(`../../../dist/serialization/${file}`, import.meta.url).href);
}

export const { Codec } = (await load('codec.js')) as typeof CodecModule;
export type Codec = CodecModule.Codec;
export const { Registry } = (await load('registry.js')) as typeof RegistryModule;
export type Registry = RegistryModule.Registry;

/** The record of `value`, in shared memory as an object of the store would hold it. */
export function record(codec: Codec, value: unknown): Uint8Array {
  const encoded = codec.encode(value);
  const bytes = new Uint8Array(new SharedArrayBuffer(encoded.size));
  encoded.write(bytes, 0);
  return bytes;
}

/** Sends `value` through the store's path. */
export function roundTrip<T>(value: T, codec: Codec = new Codec()): T {
  return codec.decode(record(codec, value)) as T;
}

/** Sends `value` through a message at an odd offset, overwritten before the value is looked at. */
export function roundTripInline<T>(value: T, codec: Codec = new Codec()): T {
  const target = new Uint8Array(4096);
  const offset = 101;
  const written = codec.encodeInto(value, target, offset);
  if (typeof written !== 'number') throw new Error('the value did not fit in place');
  const result = codec.decodeAt(target, offset, offset + written) as T;
  target.fill(0xff);
  return result;
}
