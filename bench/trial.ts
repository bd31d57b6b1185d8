/**
 * The process of one trial: measures what its argument names, and sends the values to its parent.
 */
import { measure } from './harness/measure.js';
import type { TrialJob } from './harness/trial.js';
import { suitesOf } from './workloads/suites.js';

async function run({ suite, workload: name, contender, plan }: TrialJob): Promise<number[]> {
  const workload = suitesOf(plan)
    .find((one) => one.name === suite)!
    .workloads.find((one) => one.name === name)!;
  const subject = await workload.contenders.find((one) => one.name === contender)!.start();
  const values = await measure(workload, subject, plan);
  await subject.stop?.();
  return values.map((milliseconds) => workload.unit.from(milliseconds));
}

process.on('disconnect', () => process.exit(1));
const values = await run(JSON.parse(process.argv[2]!) as TrialJob);
process.send!(values, () => process.exit());
