import type { InboxRecord } from '../../transport/peer.js';

const none: readonly number[] = [];

/** The gpus that a task was given, by their bits in its record. */
export function devicesOf({ devicesLow, devicesHigh }: InboxRecord): readonly number[] {
  if (devicesLow === 0 && devicesHigh === 0) return none;
  const devices: number[] = [];
  for (let index = 0; index < 64; index++) {
    const word = index < 32 ? devicesLow : devicesHigh;
    if (((word >>> (index % 32)) & 1) !== 0) devices.push(index);
  }
  return devices;
}

const variable = 'CUDA_VISIBLE_DEVICES';

/** Shows a task its gpus, and no others; the returned function takes them from sight again. */
export function showDevices(devices: readonly number[]): () => void {
  const before = process.env[variable];
  process.env[variable] = devices.join(',');
  return () => {
    if (before === undefined) Reflect.deleteProperty(process.env, variable);
    else process.env[variable] = before;
  };
}
