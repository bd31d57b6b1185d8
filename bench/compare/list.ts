/**
 * The process that lists what a checkout can measure: its argument says which, and with what plan.
 * Each checkout needs one, for two builds of the addon do not go into one process.
 */
import { pathToFileURL } from 'node:url';
import { isMobula, type Suite } from '../harness/workload.js';
import type { Plan } from '../harness/plan.js';
import type { Row } from './rows.js';

interface SuitesModule {
  readonly suitesOf: (plan: Plan) => Suite[];
}

const { entry, plan } = JSON.parse(process.argv[2]!) as { entry: string; plan: Plan };
const { suitesOf } = (await import(pathToFileURL(entry).href)) as SuitesModule;
const rows: Row[] = suitesOf(plan).flatMap(({ name: suite, workloads }) =>
  workloads.flatMap(({ name: workload, unit, contenders }) =>
    contenders
      .filter((contender) => isMobula(contender.name))
      .map((contender) => ({ suite, workload, unit: unit.label, contender: contender.name })),
  ),
);
process.stdout.write(JSON.stringify(rows), () => process.exit());
