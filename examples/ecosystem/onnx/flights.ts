import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { tableFromIPC, type Float32, type Int16 } from 'apache-arrow';
import { allocate } from 'mobula';
import { FEATURES } from './model.js';

/** What delays are predicted from, in shared memory: miles and hour of departure; and the delays. */
export function readFlights(): { features: Float32Array; delays: Int16Array } {
  const file = new URL('../data/flights-200k.arrow', import.meta.resolve('vega-datasets'));
  const table = tableFromIPC<{ delay: Int16; distance: Int16; time: Float32 }>(
    readFileSync(fileURLToPath(file)),
  );
  const distance = table.getChild('distance')!.toArray();
  const time = table.getChild('time')!.toArray();
  const features = allocate(Float32Array, FEATURES * table.numRows);
  for (let row = 0; row < table.numRows; row++) {
    features[FEATURES * row] = distance[row]!;
    features[FEATURES * row + 1] = time[row]!;
  }
  return { features, delays: table.getChild('delay')!.toArray() };
}
