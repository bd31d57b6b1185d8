/** The command line. */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundledFile } from './columns.js';
import type { Mode } from './run.js';

export interface Options {
  readonly help: boolean;
  readonly modes: readonly Mode[];
  readonly memory: string | undefined;
  readonly file: string;
  readonly output: string;
}

/** The command line cannot be used; the message says why, in one line. */
export class UsageError extends Error {}

export const usage = `Usage: npm start -- [options]

Analyses three million flights in parallel workers that share them without copying, compares the
findings and the time taken with the same computation in one thread, and draws a chart. Delays are
minutes late on arrival; hours and days are those of the actual departure, in local time.

Options:
  --workers N         workers in the largest mode, 1 to 256 (default: one per available core)
  --isolation KIND    what the workers are: thread, process or both (default: both)
  --memory SIZE       limit of the object store, such as 512MB or 2GiB (default: the library's)
  --file PATH         a Parquet file with the columns date, delay, distance, origin, destination
                      (default: flights-3m.parquet of the package vega-datasets)
  --output FILE       where the chart goes, as SVG (default: build/flights.svg)
  --help              show this text`;

const MAX_WORKERS = 256;

/** @throws UsageError */
export function parseOptions(args: readonly string[]): Options {
  const values = parseValues(args);
  return {
    help: values.help ?? false,
    modes: modesOf(parseWorkers(values.workers), parseIsolation(values.isolation)),
    memory: parseMemory(values.memory),
    file: values.file ?? bundledFile(),
    output: values.output ?? fileURLToPath(new URL('../../flights.svg', import.meta.url)),
  };
}

function parseValues(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        workers: { type: 'string' },
        isolation: { type: 'string' },
        memory: { type: 'string' },
        file: { type: 'string' },
        output: { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    // The first sentence says what is wrong; those that follow are about shells and quoting.
    const [sentence] = (error as Error).message.split(/\.\s/);
    throw new UsageError(`${sentence ?? ''}; --help lists the options`);
  }
}

function parseWorkers(value: string | undefined): number {
  if (value === undefined) return Math.min(availableParallelism(), MAX_WORKERS);
  const workers = Number(value);
  if (/^\d+$/.test(value) && workers >= 1 && workers <= MAX_WORKERS) return workers;
  throw new UsageError(`--workers must be a whole number from 1 to ${MAX_WORKERS}, not '${value}'`);
}

function parseIsolation(value = 'both'): Mode['isolation'][] {
  if (value === 'both') return ['thread', 'process'];
  if (value === 'thread' || value === 'process') return [value];
  throw new UsageError(`--isolation must be thread, process or both, not '${value}'`);
}

function parseMemory(value: string | undefined): string | undefined {
  if (value === undefined || /^[1-9]\d*(\.\d+)?([kmgt]i?b|b)$/i.test(value)) return value;
  throw new UsageError(`--memory must be a size such as 512MB or 2GiB, not '${value}'`);
}

function modesOf(workers: number, isolations: readonly Mode['isolation'][]): Mode[] {
  const counts = [...new Set([1, workers])];
  return [
    { workers: 0, isolation: 'thread' },
    ...isolations.flatMap((isolation) => counts.map((count) => ({ workers: count, isolation }))),
  ];
}
