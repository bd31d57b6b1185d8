/** Edge 10 of the state machine in lib/README.md. */
import test from 'ava';
import { init, kill, RuntimeShutdownError, shutdown, stop, supervise } from 'mobula';
import { Gate } from '../support/gate.js';
import { testOneByOneInEach } from '../support/in-each.js';
import { Journal } from '../support/journal.js';
import { Mortal } from '../support/mortals.js';

test.afterEach.always(() => shutdown());

testOneByOneInEach(
  '10: shutdown() runs onStop of the actors that there are, and fails what runs and waits',
  async (t, isolation) => {
    init({ workers: 1, memory: '64MiB', resources: { license: 1 } });
    const journal = new Journal(t);
    const gate = new Gate(t);
    const make = (name: string, options = {}) =>
      Mortal.options({ isolation, ...options }).remote(journal.handle, name);
    const idle = make('idle', { resources: { license: 1 } });
    await idle.count();
    const pending = make('pending', { resources: { license: 1 } });
    const restarting = make('restarting', { maxRestarts: 1, restartDelay: '1h' });
    await restarting.count();
    await kill(restarting, { restart: true });
    const [busy, stopping] = [make('busy'), make('stopping')];
    const calls = [
      pending.count(),
      restarting.count(),
      busy.noteAt(gate.pass(0), 'begun'),
      stopping.noteAt(gate.pass(1), 'begun'),
    ];
    await Promise.all([gate.arrived(0), gate.arrived(1)]);
    const stopped = stop(stopping);
    const outcomes = Promise.allSettled(calls.map((call) => call.then()));
    await shutdown();
    await stopped;
    for (const outcome of await outcomes) {
      t.true(outcome.status === 'rejected' && outcome.reason instanceof RuntimeShutdownError);
    }
    t.throws(() => idle.count(), { instanceOf: RuntimeShutdownError });
    const stops = journal.entries.filter((entry) => entry.endsWith('stops'));
    t.deepEqual(stops.sort(), ['busy stops', 'idle stops', 'stopping stops']);
  },
);

testOneByOneInEach(
  '10: shutdown() resolves done of the supervisors that there are',
  async (t, isolation) => {
    init({ workers: 1, memory: '64MiB' });
    const child = Mortal.options({ isolation }).remote(new Journal(t).handle, 'child');
    await child.count();
    const inner = supervise('one-for-one', [child], { maxRestarts: 1, within: '1s' });
    const outer = supervise('one-for-one', [inner], { maxRestarts: 1, within: '1s' });
    await shutdown();
    await t.notThrowsAsync(Promise.all([inner.done, outer.done]));
  },
);
