/**
 * Analyses flight delays in every mode that Mobula offers: in this thread, in worker threads and in
 * worker processes. `usage` in `options.ts` says more.
 */
import { access, constants, writeFile } from 'node:fs/promises';
import { basename, dirname, relative } from 'node:path';
import { main, MobulaError } from 'mobula';
import { drawChart } from './chart.js';
import { InputError, readFlights, type Flights } from './columns.js';
import { parseOptions, usage, UsageError, type Options } from './options.js';
import { startProgress } from './progress.js';
import { findingsText, inputText, modeLabel, runsText } from './report.js';
import { findDeviating, PARTS, run, type Run } from './run.js';
import { bytesOf } from './tasks.js';

/** The chart cannot be written, or the findings depend on where they were computed. */
class OutputError extends Error {}

main(async () => {
  try {
    await analyse(parseOptions(process.argv.slice(2)));
  } catch (error) {
    if (!isExpected(error)) throw error;
    process.stderr.write(`flights: ${error.message}\n`);
    process.exitCode = 1;
  }
});

function isExpected(error: unknown): error is Error {
  return [UsageError, InputError, OutputError, MobulaError].some((kind) => error instanceof kind);
}

async function analyse(options: Options): Promise<void> {
  if (options.help) {
    process.stdout.write(`${usage}\n`);
    return;
  }
  await orOutputError(options.output, access(dirname(options.output), constants.W_OK));

  const flights = await read(options.file);
  const runs = await runModes(flights, options);
  const { findings } = runs[0]!;
  process.stdout.write(`\n${findingsText(findings)}\n\n${runsText(runs)}\n`);

  const svg = await drawChart(findings.summary);
  await orOutputError(options.output, writeFile(options.output, svg));
  process.stdout.write(`chart: ${relative('', options.output)}\n`);
}

async function read(file: string): Promise<Flights> {
  const start = performance.now();
  const flights = await readFlights(file);
  const bytes = bytesOf(Object.values(flights.columns));
  const duration = performance.now() - start;
  const line = inputText(basename(file), flights.columns.delay.length, bytes, duration);
  process.stdout.write(`${line}\n`);
  return flights;
}

/** @throws OutputError if two modes disagree */
async function runModes(flights: Flights, { modes, memory }: Options): Promise<Run[]> {
  const runs: Run[] = [];
  for (const mode of modes) {
    const progress = startProgress(modeLabel(mode), PARTS);
    try {
      runs.push(await run(flights, mode, memory, (gathered) => progress.update(gathered)));
    } finally {
      progress.stop();
    }
  }
  const deviating = findDeviating(runs);
  if (deviating === undefined) return runs;
  throw new OutputError(
    `the findings of '${modeLabel(deviating.mode)}' differ from those of '${modeLabel(runs[0]!.mode)}'`,
  );
}

async function orOutputError(output: string, operation: Promise<void>): Promise<void> {
  try {
    await operation;
  } catch (cause) {
    throw new OutputError(`cannot write ${output}: ${(cause as Error).message}`, { cause });
  }
}
