/** Trials of two checkouts in turns. */
import type { Plan } from '../harness/plan.js';
import type { OnTrial } from '../harness/run.js';
import { trialMedians } from '../harness/summary.js';
import { runTrial, TrialError, type Trial } from '../harness/trial.js';
import { changeOf, type Change } from './changes.js';
import type { Checkout } from './checkout.js';
import { rowLabel, type Row } from './rows.js';

export interface Failure {
  readonly row: Row;
  readonly side: Side;
  readonly reason: string;
}

export type Side = 'base' | 'head';

export type Sides = Readonly<Record<Side, Checkout>>;

const orders: readonly (readonly Side[])[] = [
  ['base', 'head'],
  ['head', 'base'],
];

/** The sides take turns at being first: what follows a trial may differ from what precedes it. */
export async function compareRow(
  row: Row,
  sides: Sides,
  plan: Plan,
  onTrial: OnTrial,
  signal: AbortSignal,
): Promise<Change | Failure> {
  const trials: Record<Side, Trial[]> = { base: [], head: [] };
  for (let turn = 0; turn < plan.trials; turn++) {
    for (const side of orders[turn % 2]!) {
      onTrial(`${rowLabel(row)}: ${side}`, turn + 1);
      try {
        trials[side].push(await runTrial({ ...row, plan }, signal, sides[side].trialEntry));
      } catch (error) {
        if (!(error instanceof TrialError)) throw error;
        return { row, side, reason: error.message };
      }
    }
  }
  const [base, head] = [trials.base, trials.head].map((list) => trialMedians({ trials: list }));
  return changeOf(row, base!, head!);
}
