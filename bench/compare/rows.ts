/** What two sides of a comparison have in common. */
import { fileURLToPath } from 'node:url';
import type { Plan } from '../harness/plan.js';
import type { Checkout } from './checkout.js';
import { runProgram } from './program.js';

/** A contender of Mobula's in a workload. */
export interface Row {
  readonly suite: string;
  readonly workload: string;
  readonly unit: string;
  readonly contender: string;
}

export interface Matched<One extends Row> {
  readonly both: readonly (readonly [base: One, head: One])[];
  readonly onlyBase: readonly One[];
  readonly onlyHead: readonly One[];
}

/** Rows are the same when all that names them is, and the unit. */
export function match<One extends Row>(base: readonly One[], head: readonly One[]): Matched<One> {
  const byKey = new Map(base.map((row) => [keyOf(row), row]));
  const headKeys = new Set(head.map(keyOf));
  return {
    both: head.flatMap((row) => {
      const other = byKey.get(keyOf(row));
      return other === undefined ? [] : [[other, row] as const];
    }),
    onlyBase: base.filter((row) => !headKeys.has(keyOf(row))),
    onlyHead: head.filter((row) => !byKey.has(keyOf(row))),
  };
}

export function rowLabel({ suite, workload, contender }: Row): string {
  return `${suite}: ${workload}: ${contender}`;
}

function keyOf(row: Row): string {
  return JSON.stringify([row.suite, row.workload, row.contender, row.unit]);
}

const lister = fileURLToPath(new URL('list.js', import.meta.url));

/** What a checkout can measure. */
export async function rowsOf(checkout: Checkout, plan: Plan, signal: AbortSignal): Promise<Row[]> {
  const job = JSON.stringify({ entry: checkout.suitesEntry, plan });
  const rows = await runProgram([process.execPath, lister, job], checkout.root, signal);
  return JSON.parse(rows) as Row[];
}
