import test from 'ava';
import pl from 'nodejs-polars';
import { runInBoth, testInBoth } from '../../../build/test/support/runtime.js';
import { isSealedInPlace } from '../../../build/test/support/sealing.js';
import { toFrame, toStream } from '../polars/frames.js';
import { byOrigin, sumDelays } from '../polars/tasks.js';
import { outputOf } from './support.js';

const ROWS = 10_000;
const delays = Array.from({ length: ROWS }, (_, row) => row % 100);
const frame = pl.DataFrame({
  delay: pl.Series('delay', delays, pl.Int64),
  origin: delays.map((delay) => (delay < 50 ? 'ORD' : 'LAX')),
});
const sum = delays.reduce((all, delay) => all + delay, 0);

testInBoth('Apache Arrow reads the stream of a data frame in place', async (t) => {
  t.true(isSealedInPlace(toStream(frame)));
  t.deepEqual(await sumDelays.remote(toStream(frame)), { minutes: sum, isInPlace: true });
});

testInBoth('a task groups a data frame and answers with another', async (t) => {
  const stream = await byOrigin.remote(toStream(frame));
  t.deepEqual(toFrame(stream).sort('origin').toRecords(), [
    { origin: 'LAX', flights: ROWS / 2, minutes: 100 * (50 + 99) * 25 },
    { origin: 'ORD', flights: ROWS / 2, minutes: 100 * 49 * 25 },
  ]);
});

testInBoth('Polars keeps a copy of what it reads', (t) => {
  const stream = toStream(frame);
  const copy = toFrame(stream);
  stream.fill(0);
  t.deepEqual(copy.toRecords(), frame.toRecords());
});

test.serial('the example finds the same in place and by Polars', async (t) => {
  const output = await outputOf(t, 'polars');
  t.regex(output, /^3000000 rows are 57\.0 MB in shared memory\n/);
  t.regex(output, /4 of 4 tasks read their column in place\n/);
  t.regex(output, /229 airports, most flights from ORD/);
  t.regex(output, /\nboth find as many minutes: true\n$/);
});

runInBoth();
