import { checkObject, checkQuantity } from '../common/validate.js';
import type { Demand } from '../runtime/tasks/shapes.js';

const maxAmount = 2 ** 31;

/** The options that say what is held; `usual` itself when they ask for just that many cpus. */
export function checkDemand(
  options: { cpus?: number; gpus?: number; resources?: Record<string, number> },
  usual: Demand,
): Demand {
  const { cpus = usual.cpus, gpus = 0, resources = {} } = options;
  checkQuantity('options.cpus', cpus, maxAmount);
  checkQuantity('options.gpus', gpus, maxAmount);
  if (gpus > 1 && !Number.isInteger(gpus)) {
    throw new RangeError('options.gpus must be a fraction of one gpu, or a whole number of them');
  }
  checkObject('options.resources', resources);
  for (const [name, amount] of Object.entries(resources)) {
    checkQuantity(`options.resources.${name}`, amount, maxAmount);
  }
  if (cpus === usual.cpus && gpus === 0 && Object.keys(resources).length === 0) return usual;
  return { cpus, gpus, resources: { ...resources } };
}
