/** What a worker runs: attaches to the runtime of its driver, and then does what it is sent. */

import { isMainThread } from 'node:worker_threads';
import { ActorHost } from './runtime/actors/actor-host.js';
import { nameIn } from './runtime/address.js';
import { setContext } from './runtime/context.js';
import { RemoteActors } from './runtime/actors/remote-actors.js';
import { Core } from './runtime/core.js';
import { CallSites } from './runtime/objects/call-sites.js';
import { watchImports } from './runtime/tasks/modules.js';
import { TaskExecutor } from './runtime/tasks/task-executor.js';
import { ReportedTimes } from './runtime/tasks/task-times.js';
import { writeOutputAtOnce } from './runtime/workers/process-output.js';
import { MemoryLimit } from './runtime/workers/memory-limit.js';
import { Recycling } from './runtime/workers/recycling.js';
import { RemoteWorkers } from './runtime/workers/remote-workers.js';
import { sendOutput } from './runtime/workers/thread-output.js';
import { exitReason } from './runtime/workers/worker-ends.js';
import { outputPort, takeConfig, type WorkerConfig } from './runtime/workers/worker-config.js';
import { native } from './store/binding.js';
import { isOrder } from './transport/actor-message.js';
import type { PeerAddress } from './transport/peer.js';
import { RunQueue } from './transport/wire.js';

function start(config: WorkerConfig): void {
  if (config.log) openOutput();
  const { pid, fd, storeId } = config.store;
  if (isMainThread && !native.dieWithParent(config.driverPid)) process.exit(1);
  const store = native.storeAttachHandle(pid, fd, storeId);
  const callSites = config.trackCallSites ? new CallSites() : undefined;
  const core = new Core(store, RunQueue[config.isolation], true, callSites);
  if (isMainThread) endWithDriver(core, config.driver);
  serve(core, config);
}

function openOutput(): void {
  if (isMainThread) writeOutputAtOnce();
  else sendOutput(outputPort());
}

/**
 * The kernel would end this process alone, the keeper takes those that tasks have started along.
 */
function endWithDriver(core: Core, { slot, uid }: PeerAddress): void {
  native.peerEndWith(core.peer.handle, slot, uid);
  native.dieWithParent(0);
}

function serve(core: Core, config: WorkerConfig): void {
  const { address, argumentsAtMost, driver, isolation, role, slots, taskIsolation, worker } =
    config;
  const queue = RunQueue[isolation];
  const actors = new ActorHost(core, role === 'thread' || role === 'process');
  const executor = new TaskExecutor(core, actors, slots, argumentsAtMost);
  const workers = new RemoteWorkers(core, driver);
  const otherActors = new RemoteActors(core, driver);
  core.actors = otherActors;
  core.executor = executor;
  core.driver = driver;
  if (config.trackTaskTimes) core.taskTimes = new ReportedTimes(core, driver);
  if (role === 'tasks') {
    core.onBlocked = (change) => {
      core.send({ type: 'blocked', queue, change }, driver);
      core.peer.flush();
    };
  }
  if (config.memoryLimit !== undefined) {
    const duties = {
      isNeeded: () => core.requests.pending > 0 || core.room.isAwaited || otherActors.supervises,
      isAnswering: () => core.room.isAwaited,
    };
    new Recycling(executor, new MemoryLimit(config.memoryLimit), duties, () => {
      core.send({ type: 'retiring' }, driver);
    });
  }
  watchImports(() => executor.active);
  setContext({
    core,
    isDriver: false,
    isolation: taskIsolation,
    mayBlock: role !== 'shared',
    name: nameIn(address),
    address,
  });
  core.onMessage = (message) => {
    if (message.type !== 'stop') {
      if (isOrder(message)) actors.order(message);
      else if (!otherActors.receive(message)) workers.receive(message);
      return;
    }
    executor.stop();
    void actors.stop().then(() => {
      core.close();
      process.exit(0);
    });
  };
  let hasSpoken = false;
  const sayLast = (reason: string) => {
    if (core.isClosed || hasSpoken) return;
    hasSpoken = true;
    core.send({ type: 'ending', worker, reason }, driver);
    core.peer.flush();
  };
  if (role === 'tasks') {
    process.on('uncaughtExceptionMonitor', (error: unknown, origin) => {
      sayLast(describe(error, nameOf(origin)));
    });
  } else {
    const uncaught = (error: unknown, what: string) => {
      if (actors.blame(error, what)) return;
      sayLast(describe(error, what));
      process.removeAllListeners('uncaughtException');
      setImmediate(() => {
        throw error;
      });
    };
    process.on('unhandledRejection', (error) => uncaught(error, 'unhandled rejection'));
    process.on('uncaughtException', (error, origin) => uncaught(error, nameOf(origin)));
  }
  process.on('exit', (code) => {
    if (isMainThread) {
      // Calls that have ended are answered, even if the next one has called process.exit().
      if (!core.isClosed) core.peer.flush();
      return;
    }
    // The driver cannot ask the system about a thread, as it can about a process.
    const { culpritName } = actors;
    const where = culpritName === undefined ? '' : `, in the actor ${culpritName}`;
    sayLast(`${exitReason(code)}${where}`);
  });
  native.peerSetWorker(core.peer.handle);
  core.send({ type: 'ready', worker }, driver);
}

function nameOf(origin: NodeJS.UncaughtExceptionOrigin): string {
  return origin === 'unhandledRejection' ? 'unhandled rejection' : 'uncaught exception';
}

function describe(error: unknown, what: string): string {
  return `${what}: ${error instanceof Error ? error.message : String(error)}`;
}

start(takeConfig());
