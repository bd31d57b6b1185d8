import type { Plan } from '../harness/plan.js';
import type { Suite } from '../harness/workload.js';
import { actorWorkloads } from './actors.js';
import { objectWorkloads } from './objects.js';
import { peerWorkloads } from './peers.js';
import { pressureWorkloads } from './pressure.js';
import { rayWorkloads } from './ray.js';
import { scalingWorkloads } from './scaling.js';
import { serializationWorkloads } from './serialization.js';
import { storeWorkloads } from './store.js';
import { taskWorkloads } from './tasks.js';

const workloads = {
  store: storeWorkloads,
  tasks: taskWorkloads,
  actors: actorWorkloads,
  objects: objectWorkloads,
  serialization: serializationWorkloads,
  pressure: pressureWorkloads,
  scaling: scalingWorkloads,
  peers: peerWorkloads,
  ray: rayWorkloads,
};

export const suiteNames: readonly string[] = Object.keys(workloads);

export function suitesOf(plan: Plan): Suite[] {
  return Object.entries(workloads).map(([name, list]) => ({ name, workloads: list(plan) }));
}
