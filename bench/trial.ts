/**
 * The process of one trial: measures what its argument names, and sends the values to its parent.
 */
import { inUnit, measure, type Measurement } from './harness/measure.js';
import type { TrialJob } from './harness/trial.js';
import { suitesOf } from './workloads/suites.js';

async function run({ suite, workload: name, contender, plan }: TrialJob): Promise<Measurement> {
  const workload = suitesOf(plan)
    .find((one) => one.name === suite)!
    .workloads.find((one) => one.name === name)!;
  const subject = await workload.contenders.find((one) => one.name === contender)!.start();
  const measurement = await measure(workload, subject, plan);
  await subject.stop?.();
  return inUnit(measurement, workload.unit);
}

process.on('disconnect', () => process.exit(1));
const measurement = await run(JSON.parse(process.argv[2]!) as TrialJob);
process.send!(measurement, () => process.exit());
