import test from 'ava';
import { rayWorkloads } from '../../bench/workloads/ray.js';

test('the ray suite has the rows of ray microbenchmark, in its order', (t) => {
  const names = rayWorkloads().map(({ name }) => name.replace(/ \(\d.*\)$/, ''));
  t.deepEqual(names, [
    'single client get calls (Plasma Store)',
    'single client put calls (Plasma Store)',
    'multi client put calls (Plasma Store)',
    'single client put gigabytes',
    'single client tasks and get batch',
    'multi client put gigabytes',
    'single client get object containing 10k refs',
    'single client wait 1k refs',
    'single client tasks sync',
    'single client tasks async',
    'multi client tasks async',
    '1:1 actor calls sync',
    '1:1 actor calls async',
    '1:1 actor calls concurrent',
    '1:n actor calls async',
    'n:n actor calls async',
    'n:n actor calls with arg async',
    '1:1 async-actor calls sync',
    '1:1 async-actor calls async',
    '1:1 async-actor calls with args async',
    '1:n async-actor calls async',
    'n:n async-actor calls async',
  ]);
});

test('every row of the ray suite names what Ray has published, and where', (t) => {
  for (const { name, published = [] } of rayWorkloads()) {
    t.is(published.length, 1, name);
    t.regex(published[0]!.source, /^Ray \d+\.\d+\.\d+ on \w+/, name);
  }
});
