/** The flights example: three million flights analysed by workers that share them. */
import { bundledFile, readFlights } from '../../examples/flights/columns.js';
import { run } from '../../examples/flights/run.js';
import type { Subject } from '../harness/workload.js';

/** One operation is the whole analysis, workers started and ended; 0 workers: in this thread. */
export async function flightsAnalysis(
  workers: number,
  isolation: 'thread' | 'process',
): Promise<Subject> {
  const flights = await readFlights(bundledFile());
  return {
    async run(count) {
      for (let i = 0; i < count; i++) {
        await run(flights, { workers, isolation }, undefined, () => undefined);
      }
    },
  };
}
