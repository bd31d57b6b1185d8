import test from 'ava';
import { ActorDiedError } from 'mobula';
import { Family } from '../support/supervised.js';

const started = (...names: string[]) => names.flatMap((name) => [`start ${name}`, `${name} up`]);
const ended = (...names: string[]) => names.flatMap((name) => [`end ${name}`, `${name} ended`]);
const retired = (...names: string[]) => names.map((name) => `retire ${name}`);

function gate(): { wait: Promise<void>; open: () => void } {
  let open!: () => void;
  const wait = new Promise<void>((resolve) => (open = resolve));
  return { wait, open };
}

test('one-for-one restarts the child that is down only', async (t) => {
  const family = new Family();
  const children = family.children('a', 'b', 'c');
  family.supervise('one-for-one', children);
  children.b.drop();
  t.deepEqual(await family.events(), started('b'));
});

test('one-for-all ends the others in reverse order and starts all in order', async (t) => {
  const family = new Family();
  const children = family.children('a', 'b', 'c', 'd');
  family.supervise('one-for-all', children);
  children.b.drop();
  t.deepEqual(await family.events(), [...ended('d', 'c', 'a'), ...started('a', 'b', 'c', 'd')]);
});

test('rest-for-one restarts the child that is down and those after it', async (t) => {
  const family = new Family();
  const children = family.children('a', 'b', 'c', 'd');
  family.supervise('rest-for-one', children);
  children.b.drop();
  t.deepEqual(await family.events(), [...ended('d', 'c'), ...started('b', 'c', 'd')]);
});

test('a child is ended or started only when the one before it has been', async (t) => {
  const family = new Family();
  const children = family.children('a', 'b', 'c');
  family.supervise('one-for-all', children);
  const [end, start] = [gate(), gate()];
  children.c.endGate = end.wait;
  children.a.startGate = start.wait;
  children.b.drop();
  t.deepEqual(await family.events(), ['end c']);
  end.open();
  t.deepEqual(await family.events(), ['c ended', ...ended('a'), 'start a']);
  start.open();
  t.deepEqual(await family.events(), ['a up', ...started('b', 'c')]);
});

test('a child that does not start counts as down again', async (t) => {
  const family = new Family();
  const children = family.children('a', 'b', 'c');
  const supervisor = family.supervise('one-for-all', children, 3);
  children.b.failures = [new Error('one'), new Error('two')];
  children.c.drop();
  t.deepEqual(await family.events(), [
    ...ended('b', 'a'),
    ...started('a'),
    'start b',
    ...ended('a'),
    ...started('a'),
    'start b',
    ...ended('a'),
    ...started('a', 'b', 'c'),
  ]);
  t.true(supervisor.isUp);
  children.a.drop();
  await t.throwsAsync(supervisor.done, { message: /4 times within 1000 ms/ });
});

test('a child that goes down and does not start either counts once', async (t) => {
  const family = new Family();
  const children = family.children('a', 'b');
  const supervisor = family.supervise('one-for-one', children, 2);
  children.a.failures = [new Error('it does not start')];
  children.a.dropsInStart = true;
  children.a.drop();
  t.deepEqual(await family.events(), ['start a', ...started('a')]);
  t.true(supervisor.isUp);
});

test('a child that goes down while it starts is restarted when it has started', async (t) => {
  const family = new Family();
  const children = family.children('a', 'b');
  family.supervise('rest-for-one', children);
  children.a.dropsInStart = true;
  children.a.drop();
  t.deepEqual(await family.events(), [
    ...ended('b'),
    ...started('a', 'b'),
    ...ended('b'),
    ...started('a', 'b'),
  ]);
});

test('children that are down at the same time are restarted one after the other', async (t) => {
  const family = new Family();
  const children = family.children('a', 'b', 'c');
  family.supervise('one-for-one', children);
  const start = gate();
  children.c.startGate = start.wait;
  children.c.drop();
  children.a.drop();
  children.b.drop();
  t.deepEqual(await family.events(), ['start c']);
  start.open();
  t.deepEqual(await family.events(), ['c up', ...started('a', 'b')]);
});

test('who is down when its siblings are restarted is restarted with them, once', async (t) => {
  const family = new Family();
  const children = family.children('a', 'b', 'c');
  const supervisor = family.supervise('one-for-all', children, 1);
  children.c.drop();
  children.a.drop();
  t.deepEqual(await family.events(), [...ended('b'), ...started('a', 'b', 'c')]);
  t.true(supervisor.isUp);
});

test('with rest-for-one a child before the one that is restarted waits for its own turn', async (t) => {
  const family = new Family();
  const children = family.children('a', 'b', 'c');
  family.supervise('rest-for-one', children);
  children.b.drop();
  children.a.drop();
  t.deepEqual(await family.events(), [
    ...ended('c'),
    ...started('b', 'c'),
    ...ended('c', 'b'),
    ...started('a', 'b', 'c'),
  ]);
});

test('more restarts than allowed within the window end all children and reject done', async (t) => {
  const family = new Family();
  const children = family.children('a', 'b', 'c');
  const supervisor = family.supervise('one-for-one', children, 2, 5000);
  const cause = new RangeError('the last straw');
  children.b.drop();
  children.a.drop();
  await family.events();
  children.b.drop(cause);
  const error = await t.throwsAsync(supervisor.done, { instanceOf: ActorDiedError });
  t.regex(error.message, /a, b, c .*3 times within 5000 ms.* 2 restarts.* b: the last straw/);
  t.is(error.cause, cause);
  t.deepEqual(await family.events(), [...ended('c', 'a'), ...retired('a', 'b', 'c')]);
  children.a.drop();
  t.deepEqual(await family.events(), []);
  t.false(supervisor.isUp);
});

test('restarts before the window do not count', async (t) => {
  const family = new Family();
  const children = family.children('a');
  const supervisor = family.supervise('one-for-one', children, 1, 1000);
  for (let i = 0; i < 5; i++) {
    children.a.drop();
    t.deepEqual(await family.events(), started('a'));
    family.now += 1001;
  }
  children.a.drop();
  await family.events();
  family.now += 1000;
  children.a.drop();
  await t.throwsAsync(supervisor.done);
});

test('without restarts allowed the first child that is down ends all', async (t) => {
  const family = new Family();
  const children = family.children('a', 'b');
  const supervisor = family.supervise('one-for-one', children, 0);
  children.a.drop();
  await t.throwsAsync(supervisor.done, { instanceOf: ActorDiedError });
  t.deepEqual(await family.events(), [...ended('b'), ...retired('a', 'b')]);
});

test('an escalation counts as one child of the parent, which restarts it as a whole', async (t) => {
  const family = new Family();
  const children = family.children('a', 'b');
  const child = family.supervise('one-for-one', children, 1);
  const others = family.children('x', 'y');
  const parent = family.supervise('rest-for-one', { x: others.x, child, y: others.y }, 1);
  children.a.drop();
  t.deepEqual(await family.events(), started('a'));
  children.b.drop();
  t.deepEqual(await family.events(), [...ended('a', 'y'), ...started('a', 'b', 'y')]);

  // What was before does not count any more; what the parent has done does.
  children.a.drop();
  t.deepEqual(await family.events(), started('a'));
  children.a.drop();
  const error = await t.throwsAsync(parent.done, { instanceOf: ActorDiedError });
  t.true(error.cause instanceof ActorDiedError);
  t.deepEqual(await family.events(), [...ended('b', 'y', 'x'), ...retired('x', 'a', 'b', 'y')]);
  await child.done;
});

test('a parent that restarts all ends and starts the children of a child supervisor', async (t) => {
  const family = new Family();
  const child = family.supervise('one-for-one', family.children('a', 'b'));
  const x = family.child('x');
  family.supervise('one-for-all', { x, child });
  x.drop();
  t.deepEqual(await family.events(), [...ended('b', 'a'), ...started('x', 'a', 'b')]);
});

test('a child supervisor of which a child does not start is down again', async (t) => {
  const family = new Family();
  const children = family.children('a', 'b', 'c');
  const child = family.supervise('one-for-one', children, 0);
  family.supervise('one-for-one', { child }, 2);
  children.b.failures = [new Error('not yet')];
  children.c.drop();
  t.deepEqual(await family.events(), [
    ...ended('b', 'a'),
    ...started('a'),
    'start b',
    ...ended('a'),
    ...started('a', 'b', 'c'),
  ]);
});

test('stop ends the children in reverse order, for good, and resolves done', async (t) => {
  const family = new Family();
  const children = family.children('a', 'b', 'c');
  const supervisor = family.supervise('one-for-all', children);
  await supervisor.stop();
  t.deepEqual(await family.events(), [...ended('c', 'b', 'a'), ...retired('a', 'b', 'c')]);
  await supervisor.done;
  children.a.drop();
  t.deepEqual(await family.events(), []);
  await supervisor.stop();
});

test('stop in the middle of a restart starts nobody any more', async (t) => {
  const family = new Family();
  const children = family.children('a', 'b', 'c');
  const supervisor = family.supervise('one-for-all', children);
  const start = gate();
  children.b.startGate = start.wait;
  children.a.drop();
  t.deepEqual(await family.events(), [...ended('c', 'b'), ...started('a'), 'start b']);
  const stopped = supervisor.stop();
  t.deepEqual(await family.events(), [...ended('b', 'a'), ...retired('a', 'b', 'c')]);
  start.open();
  await stopped;
  t.deepEqual(await family.events(), ['b up']);
});

test('stop waits for ends that are under way', async (t) => {
  const family = new Family();
  const children = family.children('a', 'b');
  const supervisor = family.supervise('one-for-all', children);
  const end = gate();
  children.b.endGate = end.wait;
  children.a.drop();
  t.deepEqual(await family.events(), ['end b']);
  let isStopped = false;
  const stopped = supervisor.stop().then(() => (isStopped = true));
  t.deepEqual(await family.events(), []);
  t.false(isStopped);
  end.open();
  await stopped;
  t.deepEqual(await family.events(), ['b ended', ...retired('a', 'b')]);
});

test('a child supervisor that was stopped is not started again by its parent', async (t) => {
  const family = new Family();
  const child = family.supervise('one-for-one', family.children('a'));
  const x = family.child('x');
  family.supervise('one-for-all', { x, child });
  await child.stop();
  t.deepEqual(await family.events(), [...ended('a'), ...retired('a')]);
  x.drop();
  t.deepEqual(await family.events(), started('x'));
});

test('a supervisor that is ended while it escalates is not down', async (t) => {
  const family = new Family();
  const children = family.children('a', 'b');
  const child = family.supervise('one-for-one', children, 0);
  const x = family.child('x');
  const parent = family.supervise('one-for-all', { child, x }, 1);
  const end = gate();
  children.b.endGate = end.wait;
  children.a.drop();
  t.deepEqual(await family.events(), ['end b']);
  x.drop();
  t.deepEqual(await family.events(), []);
  end.open();
  t.deepEqual(await family.events(), ['b ended', ...started('a', 'b', 'x')]);
  t.true(parent.isUp);
  t.true(child.isUp);
});

test('a supervisor of nobody does nothing until it is stopped', async (t) => {
  const supervisor = new Family().supervise('one-for-one', {});
  t.regex(supervisor.name, /nobody/);
  await supervisor.stop();
  await supervisor.done;
  t.pass();
});

test('the name of a supervisor of many names the first of them', (t) => {
  const family = new Family();
  const names = Array.from({ length: 100 }, (_, i) => `child${i}`);
  const { name } = family.supervise('one-for-one', family.children(...names));
  t.regex(name, /child0, child1, .*child9, 90 more$/);
});
