import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResultsDocument } from '../harness/results.js';
import { drawChart, type Chart } from './chart.js';
import { payloadChart } from './payload.js';
import { peersChart } from './peers.js';
import { scalingChart } from './scaling.js';

/** The pictures that a run has data for. */
export function chartsOf(document: ResultsDocument): Chart[] {
  const charts = [peersChart, payloadChart, scalingChart].map((chart) => chart(document));
  return charts.filter((chart) => chart !== undefined);
}

/** Returns the paths of the files. */
export async function writeCharts(
  document: ResultsDocument,
  directory: string,
  prefix = '',
): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const written: string[] = [];
  for (const chart of chartsOf(document)) {
    const path = join(directory, `${prefix}${chart.name}.svg`);
    await writeFile(path, `${await drawChart(chart)}\n`);
    written.push(path);
  }
  return written;
}
