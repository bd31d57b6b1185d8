import type { Plan } from '../harness/plan.js';
import type { Suite } from '../harness/workload.js';
import { actorWorkloads } from './actors.js';
import { storeWorkloads } from './store.js';
import { taskWorkloads } from './tasks.js';

const workloads = { store: storeWorkloads, tasks: taskWorkloads, actors: actorWorkloads };

export const suiteNames: readonly string[] = Object.keys(workloads);

export function suitesOf(plan: Plan): Suite[] {
  return Object.entries(workloads).map(([name, list]) => ({ name, workloads: list(plan) }));
}
