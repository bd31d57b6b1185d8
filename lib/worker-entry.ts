/** What a worker runs: attaches to the runtime of its driver, and then does what it is sent. */

import { isMainThread } from 'node:worker_threads';
import { ActorHost } from './runtime/actors/actor-host.js';
import { setContext, type ActorIsolation } from './runtime/context.js';
import { Core } from './runtime/core.js';
import type { ActorAddress } from './runtime/actors/actor-handle.js';
import { watchImports } from './runtime/tasks/modules.js';
import { TaskExecutor } from './runtime/tasks/task-executor.js';
import { takeConfig, type WorkerConfig } from './runtime/workers/worker-config.js';
import { native } from './store/binding.js';
import { RunQueue } from './transport/wire.js';

function start(config: WorkerConfig): void {
  if (isMainThread) leaveLifeToDriver(config);
  const { pid, fd, storeId } = config.store;
  const store = native.storeAttachHandle(pid, fd, storeId);
  const core = new Core(store, RunQueue[config.isolation], true);
  if (isMainThread) native.peerEndWith(core.peer.handle, ...config.driverClient);
  serve(core, config);
}

/** Ctrl-C reaches the whole terminal group; what it means is the driver's decision. */
function leaveLifeToDriver({ driverPid }: WorkerConfig): void {
  process.on('SIGINT', () => undefined);
  if (!native.dieWithParent(driverPid)) process.exit(1);
}

function serve(core: Core, config: WorkerConfig): void {
  const { driver, isolation, role, slots, taskIsolation, worker } = config;
  const queue = RunQueue[isolation];
  const actors = new ActorHost(core);
  const executor = new TaskExecutor(core, actors, slots);
  core.executor = executor;
  core.driver = driver;
  if (role === 'tasks') {
    core.onBlocked = (change) => {
      core.send({ type: 'blocked', queue, change }, driver);
      core.peer.flush();
    };
  }
  watchImports(() => executor.active);
  const mayBlock = role !== 'shared';
  setContext({
    core,
    isDriver: false,
    mayBlock,
    isolation: taskIsolation,
    placeActor({ index, generation }: ActorAddress, isolation: ActorIsolation) {
      core.send({ type: 'host', index, generation, isolation }, driver);
    },
  });
  const demanded = new Set<number>();
  core.requests.onRequest = ({ queue }) => {
    if (queue === undefined || demanded.has(queue)) return;
    core.send({ type: 'demand', queue }, driver);
    demanded.add(queue);
    setImmediate(() => demanded.delete(queue));
  };
  core.onMessage = (message) => {
    if (message.type !== 'stop') return;
    executor.stop();
    void actors.stop().then(() => {
      core.close();
      // Warnings come with the next tick.
      setImmediate(() => process.exit(0));
    });
  };
  core.send({ type: 'ready', worker }, driver);
}

start(takeConfig());
