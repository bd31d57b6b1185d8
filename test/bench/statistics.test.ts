import test from 'ava';
import { estimate, median, pairedRatio } from '../../bench/harness/statistics.js';

test('the median is the middle value, or the mean of the two in the middle', (t) => {
  t.is(median([5]), 5);
  t.is(median([9, 1, 5]), 5);
  t.is(median([9, 1, 5, 3]), 4);
});

test('values are not sorted as text, nor in place', (t) => {
  const values = [10, 9, 100];
  t.is(median(values), 10);
  t.deepEqual(values, [10, 9, 100]);
});

test('few values give the interval from lowest to highest, with the confidence that it has', (t) => {
  t.deepEqual(estimate([3, 1, 2]), { median: 2, low: 1, high: 3, confidence: 0.75 });
  t.deepEqual(estimate([7]), { median: 7, low: 7, high: 7, confidence: 0 });
});

test('more values give the narrowest interval of at least 95 %', (t) => {
  const nine = estimate([9, 8, 7, 6, 5, 4, 3, 2, 1]);
  t.deepEqual([nine.median, nine.low, nine.high], [5, 2, 8]);
  t.is(nine.confidence, 1 - 20 / 512);
  const twenty = estimate(Array.from({ length: 20 }, (_, index) => index + 1));
  t.deepEqual([twenty.median, twenty.low, twenty.high], [10.5, 6, 15]);
});

test('a paired ratio is not disturbed by noise that both contenders of a turn see', (t) => {
  const noise = [1, 10, 3, 100, 2];
  const values = noise.map((factor) => 2 * factor);
  const { median: ratio, low, high } = pairedRatio(values, noise);
  t.deepEqual([ratio, low, high], [2, 2, 2]);
});

test('a paired ratio of different numbers of trials is a RangeError', (t) => {
  t.throws(() => pairedRatio([1, 2], [1]), { instanceOf: RangeError });
});
