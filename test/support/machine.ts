import type { ExecutionContext } from 'ava';
import { shutdown } from 'mobula';
import type * as DriverModule from '../../lib/runtime/driver.js';
import type * as SystemMemoryModule from '../../lib/runtime/memory-watch/system-memory.js';
import { load } from './internals.js';
import type { Isolation } from './runtime.js';
import { MiB } from './stores.js';

const { Driver } = (await load('runtime/driver.js')) as typeof DriverModule;

const GiB = 1024 * MiB;

/** A machine of 100 GiB, of which the test says how many are in use. */
export class Machine implements SystemMemoryModule.MemoryReader {
  used = 10;

  read(): SystemMemoryModule.MemoryUse {
    return { used: this.used * GiB, limit: 100 * GiB, what: 'the machine' };
  }
}

/** Starts a runtime, until the end of the test, on a machine that the test makes. */
export function startOn(
  t: ExecutionContext,
  machine: SystemMemoryModule.MemoryReader,
  options: { workers: number; isolation: Isolation; trackCallSites?: boolean },
): DriverModule.Driver {
  t.teardown(() => shutdown());
  const { workers } = options;
  const resources = { cpu: workers, gpu: 0 };
  return new Driver(
    {
      memory: 64 * MiB,
      eviction: 'spill',
      spill: undefined,
      guard: true,
      logToDriver: true,
      trackCallSites: false,
      trackTaskTimes: false,
      workerMemoryLimit: undefined,
      argumentShare: 0.5,
      name: undefined,
      resources,
      ...options,
    },
    machine,
  );
}
