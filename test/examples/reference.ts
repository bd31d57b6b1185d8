/**
 * The findings of `examples/flights`, computed in the plainest way: every delay of every group in
 * an array, sorted. It shares no code with the example, reading included.
 */
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

interface Row {
  date: Date;
  delay: bigint;
  distance: bigint;
  origin: string;
  destination: string;
}

export async function computeReference(path: string) {
  const hours = new Map<number, number[]>();
  const days = new Map<number, number[]>();
  const distances = new Map<number, number[]>();
  const all: number[] = [];
  let worst: { row: number; record: Row }[] = [];

  for await (const { start, records } of readRowGroups(path)) {
    for (const record of records) {
      const delay = Number(record.delay);
      append(hours, record.date.getUTCHours(), delay);
      append(days, Math.floor(record.date.getTime() / 86_400_000), delay);
      append(distances, Math.floor(Number(record.distance) / 500), delay);
      all.push(delay);
    }
    worst = worstThousand([
      ...worst,
      ...records.map((record, index) => ({ row: start + index, record })),
    ]);
  }

  return {
    summary: {
      all: { group: 0, ...describe(all) },
      hours: describeGroups(hours),
      days: describeGroups(days),
      distances: describeGroups(distances),
      histogram: histogramOf(all),
      worst: worst.map(({ row }) => row),
    },
    worst: worst.map(({ record }) => ({
      departure: record.date.getTime() / 60_000,
      delay: Number(record.delay),
      distance: Number(record.distance),
      origin: record.origin,
      destination: record.destination,
    })),
  };
}

async function* readRowGroups(path: string): AsyncGenerator<{ start: number; records: Row[] }> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const records = await parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd });
    yield { start: rowStart, records: records as unknown as Row[] };
    rowStart = rowEnd;
  }
}

function append(groups: Map<number, number[]>, group: number, delay: number): void {
  const delays = groups.get(group);
  if (delays) delays.push(delay);
  else groups.set(group, [delay]);
}

function describeGroups(groups: Map<number, number[]>) {
  return [...groups]
    .sort(([a], [b]) => a - b)
    .map(([group, delays]) => ({ group, ...describe(delays) }));
}

function describe(delays: number[]) {
  const sorted = delays.toSorted((a, b) => a - b);
  return {
    flights: sorted.length,
    mean: sorted.reduce((sum, delay) => sum + delay, 0) / sorted.length,
    p95: sorted[Math.ceil((sorted.length * 95) / 100) - 1],
  };
}

function histogramOf(delays: number[]) {
  const bins = [];
  for (let from = -60; from <= 180; from += 15) {
    const least = from === -60 ? -Infinity : from;
    const end = from === 180 ? Infinity : from + 15;
    const flights = delays.filter((delay) => delay >= least && delay < end).length;
    bins.push({ from, flights });
  }
  return bins;
}

function worstThousand(flights: { row: number; record: Row }[]) {
  return flights
    .toSorted((a, b) => Number(b.record.delay - a.record.delay) || a.row - b.row)
    .slice(0, 1000);
}
