import test from 'ava';
import { committedValue, limitFor, type Figure } from '../../bench/costs/figures.js';

const figure: Figure = { name: 'get', unit: 'instructions', value: 1000, maker: 'gcc 12 x64' };

test('a cost may rise by a twentieth and what its unit varies by, no more', (t) => {
  t.true(limitFor(2000, 'instructions') < 2000 * 1.07);
  t.true(limitFor(1000, 'bytes') >= 1050);
  t.true(limitFor(1, 'crossings') < 2, 'one more call into the addon a task is seen');
  t.true(limitFor(0, 'allocations') < 1, 'one more allocation is seen');
});

test('a cost is compared with what the same compiler or Node has made', (t) => {
  const committed = { 'gcc 12 x64': { 'get, instructions': 900 } };
  t.is(committedValue(committed, figure), 900);
  t.is(committedValue(committed, { ...figure, maker: 'gcc 13 x64' }), undefined);
});
