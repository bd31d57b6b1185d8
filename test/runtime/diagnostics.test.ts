import {
  get,
  init,
  kill,
  shutdown,
  type ActorEvent,
  type MobulaError,
  type ObjectRef,
  type TaskEvent,
  type WorkerEvent,
} from 'mobula';
import { Counter } from '../support/actors.js';
import { Gate } from '../support/gate.js';
import { eventsOf } from '../support/events.js';
import { runInBoth, testInBoth } from '../support/runtime.js';
import { add, exitAtOnce, fail, passGate } from '../support/tasks.js';
import { until } from '../support/until.js';

testInBoth('a task is published when it is submitted and when it has settled', async (t) => {
  const submitted = eventsOf<TaskEvent>(t, 'mobula:task:submitted');
  const settled = eventsOf<TaskEvent>(t, 'mobula:task:settled');
  const ref = add.options({ name: 'sum' }).remote(1, 2);
  t.deepEqual(submitted, [{ id: ref.id, name: 'sum' }]);
  t.deepEqual(settled, []);
  await ref;
  t.deepEqual(settled, [{ id: ref.id, name: 'sum' }]);
});

testInBoth('a task that has failed is published with what await of its ref throws', async (t) => {
  const settled = eventsOf<TaskEvent>(t, 'mobula:task:settled');
  const ref: ObjectRef = fail.remote('no luck');
  const error: unknown = await t.throwsAsync(get(ref));
  t.is(settled.length, 1);
  t.is(settled[0]!.error, error);
});

testInBoth('what a shutdown ends is published as settled', async (t, isolation) => {
  const settled = eventsOf<TaskEvent>(t, 'mobula:task:settled');
  const gate = new Gate(t);
  const ref = passGate.remote(gate.pass(), 1);
  await gate.arrived();
  const shutDown = shutdown({ timeout: 0 });
  await t.throwsAsync(ref.then(), { code: 'MOBULA_RUNTIME_SHUTDOWN' });
  t.is((settled.at(-1)?.error as MobulaError).code, 'MOBULA_RUNTIME_SHUTDOWN');
  await shutDown;
  init({ workers: 2, memory: '256MiB', isolation });
});

testInBoth('a task that is sent once more is published as retried', async (t) => {
  const retried = eventsOf<TaskEvent>(t, 'mobula:task:retried');
  const ref = exitAtOnce.options({ name: 'exitAtOnce', retries: 1 }).remote();
  await t.throwsAsync(ref.then());
  t.deepEqual(retried, [{ id: ref.id, name: 'exitAtOnce' }]);
});

testInBoth('calls of actors have channels of their own', async (t) => {
  const tasks = eventsOf<TaskEvent>(t, 'mobula:task:submitted');
  const calls = eventsOf<TaskEvent>(t, 'mobula:call:settled');
  using counter = Counter.remote(1);
  const ref = counter.increment();
  t.is(await ref, 2);
  t.deepEqual(calls.at(-1), { id: ref.id, name: calls.at(-1)!.name });
  t.regex(calls.at(-1)!.name, /increment/);
  t.deepEqual(tasks, []);
});

testInBoth('workers are published with the reason of their end', async (t, isolation) => {
  const started = eventsOf<WorkerEvent>(t, 'mobula:worker:started');
  const ended = eventsOf<WorkerEvent>(t, 'mobula:worker:ended');
  await t.throwsAsync(exitAtOnce.options({ retries: 0 }).remote().then());
  await until('the end of a worker is published', () => ended.length > 0);
  t.like(ended[0], { isolation, role: 'tasks' });
  t.regex(ended[0]!.reason!, /exit/);
  t.is(typeof ended[0]!.pid, isolation === 'process' ? 'number' : 'undefined');
  await add.remote(1, 1);
  await until('its successor is published', () => started.length > 0);
  t.true(started[0]!.worker > ended[0]!.worker);
  t.false('reason' in started[0]!);
});

testInBoth('restarts and ends of actors are published with their reasons', async (t) => {
  const restarting = eventsOf<ActorEvent>(t, 'mobula:actor:restarting');
  const ended = eventsOf<ActorEvent>(t, 'mobula:actor:ended');
  const counter = Counter.options({ maxRestarts: 1, isolation: 'thread' }).remote();
  await counter.get();
  const { actorId } = counter;
  await kill(counter, { restart: true });
  t.deepEqual(
    restarting.filter((event) => event.actorId === actorId),
    [{ actorId, name: 'CounterClass', restarts: 1, reason: 'it was killed' }],
  );
  await kill(counter);
  t.like(
    ended.find((event) => event.actorId === actorId),
    { name: 'CounterClass', reason: 'it was killed' },
  );
});

runInBoth();
