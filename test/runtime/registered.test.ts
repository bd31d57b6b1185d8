import { put, register, SerializationError, TaskError } from 'mobula';
import { runInBoth, testInBoth } from '../support/runtime.js';
import {
  Grid,
  lookAtGrid,
  makeOnlyThere,
  makeVectors,
  OnlyHere,
  ParseError,
  scale,
  throwParseError,
  Vector,
  Walker,
} from '../support/values.js';
import { echo } from '../support/tasks.js';

testInBoth('instances of registered classes are arguments, results and puts', async (t) => {
  const doubled = await scale.remote(new Vector(3, 4), 2);
  t.true(doubled instanceof Vector);
  t.is(doubled.length, 10);
  t.is((await scale.remote(put(new Vector(0, 1)), 3)).length, 3);
  const { vector, all } = await makeVectors.remote();
  t.is(vector.length, 5);
  t.is(all.get('same'), vector);
});

testInBoth('an actor takes instances of registered classes from its construction on', async (t) => {
  const walker = Walker.remote(new Vector(3, 4));
  t.is((await walker.walk(2)).length, 10);
  t.is((await walker.walk(2)).length, 20);
});

testInBoth('large arrays of a registered instance are not copied', async (t) => {
  const seen = await lookAtGrid.remote(put(new Grid(new Float64Array(10_000))));
  t.deepEqual(seen, { isGrid: true, isShared: true });
});

testInBoth('a registered error arrives through its serializer', async (t) => {
  const error = await t.throwsAsync(throwParseError.remote(7).then(), { instanceOf: TaskError });
  t.true(error.cause instanceof ParseError);
  t.is((error.cause as ParseError).line, 7);
});

testInBoth('a serializer that throws fails the call with its path', (t) => {
  register(OnlyHere, {
    name: 'test.OnlyHere',
    encode: () => {
      throw new RangeError('no way');
    },
    decode: () => new OnlyHere(),
  });
  const error = t.throws(() => echo.remote({ list: [new OnlyHere()] }), {
    instanceOf: SerializationError,
    message: /arguments\[0\]\.list\[0\].*'test\.OnlyHere'.*no way/,
  });
  t.true(error.cause instanceof RangeError);
});

testInBoth('an instance of a class that is registered elsewhere only fails its ref', async (t) => {
  const expected = { instanceOf: SerializationError, message: /'test\.OnlyThere\..*register/ };
  await t.throwsAsync(makeOnlyThere.remote('return').then(), expected);
  const error = await t.throwsAsync(makeOnlyThere.remote('throw').then(), {
    instanceOf: TaskError,
  });
  t.true(error.cause instanceof SerializationError);
  t.is(await echo.remote(1), 1);
});

testInBoth('register refuses what is no class, no serializer, or taken', (t) => {
  const wrongly = register as (type: unknown, serializer: unknown) => void;
  const good = { name: 'test.New', encode: () => 0, decode: () => new Map() };
  for (const type of [undefined, null, 1, {}, () => 1, Object, Array]) {
    t.throws(() => wrongly(type, good), { instanceOf: TypeError, message: /"type" argument/ });
  }
  for (const serializer of [
    undefined,
    null,
    () => 1,
    { ...good, name: 1 },
    { ...good, encode: undefined },
    { ...good, decode: 'json' },
    { ...good, version: 2 },
  ]) {
    t.throws(() => wrongly(OnlyHere, serializer), { instanceOf: TypeError });
  }
  t.throws(() => wrongly(OnlyHere, { ...good, name: '' }), { instanceOf: RangeError });
  t.throws(() => wrongly(Map, { ...good, name: 'test.Vector' }), {
    instanceOf: TypeError,
    message: /'test\.Vector' is taken/,
  });
  t.throws(() => wrongly(Vector, good), {
    instanceOf: TypeError,
    message: /is registered already/,
  });
});

runInBoth();
