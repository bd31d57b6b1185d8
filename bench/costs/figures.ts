/** Figures that do not depend on time, and when one has risen. */
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Counts, What } from './counting.js';

export interface Figure {
  readonly name: string;
  readonly unit: 'instructions' | 'allocations' | 'bytes' | 'crossings';
  readonly value: number;
  /** What made it: only figures of the same maker can be compared. */
  readonly maker: string;
}

/** By maker, then by name and unit. */
export type Committed = Record<string, Record<string, number>>;

/** A figure may exceed the committed one by this share of it, and by what its unit allows. */
const mostRise = 0.05;
/**
 * Instructions vary with where the linker puts things, bytes with what V8 itself keeps, crossings
 * with how many answers have come when a side wakes.
 */
const slack = { instructions: 20, allocations: 0.1, bytes: 32, crossings: 0.25 } as const;

const core = fileURLToPath(new URL('../../../build/Release/mobula_core_test', import.meta.url));
const counting = fileURLToPath(new URL('./counting.js', import.meta.url));

/** What V8 optimises away depends on when it optimises: the bytes are those that the code asks for. */
const execArgv: Record<What, string[]> = {
  heap: ['--no-opt', '--no-maglev', '--no-sparkplug', '--min-semi-space-size=128'],
  crossings: [],
};

export const keyOf = ({ name, unit }: Figure): string => `${name}, ${unit}`;

export function limitFor(committed: number, unit: Figure['unit']): number {
  return committed * (1 + mostRise) + slack[unit];
}

/** Undefined where nothing is committed for the figure's maker. */
export function committedValue(committed: Committed, figure: Figure): number | undefined {
  return committed[figure.maker]?.[keyOf(figure)];
}

/** Of the core's operations; needs the core's tests, `npm run build:native-tests`. */
export function coreFigures(): Figure[] {
  const lines = execFileSync(core, ['--costs'], { encoding: 'utf8' }).trim().split('\n');
  const [compiler = '', ...rows] = lines;
  const maker = `${compiler} ${process.arch}`;
  return rows.flatMap((row) => {
    const [name = '', instructions, allocations] = row.split('\t');
    return [
      { name, unit: 'instructions', value: Number(instructions), maker },
      { name, unit: 'allocations', value: Number(allocations), maker },
    ] as const;
  });
}

/** Of tasks, calls and objects, for each side. */
export async function runtimeFigures(): Promise<Figure[]> {
  return [...(await figuresOf('heap', 'bytes')), ...(await figuresOf('crossings', 'crossings'))];
}

async function figuresOf(what: What, unit: Figure['unit']): Promise<Figure[]> {
  const maker = `Node ${process.versions.node.split('.')[0]} ${process.arch}`;
  const counts = await countsOf(what);
  return Object.entries(counts).flatMap(([name, { driver, worker }]) => [
    { name: `${name}, driver`, unit, value: driver, maker },
    { name: `${name}, worker`, unit, value: worker, maker },
  ]);
}

async function countsOf(what: What): Promise<Counts> {
  const child = fork(counting, [what], { execArgv: execArgv[what] });
  let counts: Counts | undefined;
  child.on('message', (message) => (counts = message as Counts));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (counts === undefined) throw new Error(`counting ${what} ended with exit code ${code}`);
  return counts;
}

export function readCommitted(path: string): Committed {
  return JSON.parse(readFileSync(path, 'utf8')) as Committed;
}
