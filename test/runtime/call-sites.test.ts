import { get, memory, put, type ObjectRef } from 'mobula';
import { Counter } from '../support/actors.js';
import { runInBoth, testInBoth } from '../support/runtime.js';
import { countTo, divide } from '../support/scheduling.js';
import { refsOf } from '../support/streams.js';
import { add, makeText, putInTask } from '../support/tasks.js';

/** With one search of the heap for all. */
function sitesOf(refs: readonly ObjectRef[]): string[] {
  const rows = new Map(memory().map(({ id, callSite }) => [id, callSite]));
  return refs.map(({ id }) => rows.get(id) ?? 'nowhere');
}

/** In this file, with source maps or without. */
const here = String.raw`call-sites\.test\.[jt]s:\d+:\d+`;
const lineHere = new RegExp(String.raw`^(?:file://)?/.*${here}$`);

function putHere(): ObjectRef {
  return put('x');
}

testInBoth('memory says which line or function has made a ref', async (t) => {
  const counter = Counter.remote();
  const refs = [put('x'), makeText.remote(50_000), add.remote(1, 1), counter.increment()];
  await get(refs);
  const sites = sitesOf([...refs, putHere()]);
  t.regex(sites.pop()!, new RegExp(String.raw`^putHere \(.*${here}\)$`));
  for (const site of sites) t.regex(site, lineHere);
  t.is(new Set(sites).size, refs.length);
});

testInBoth('refs of several results and of a stream were made where the call was', async (t) => {
  const results = divide.options({ returns: 2 }).remote(7, 2);
  const items = await refsOf(countTo.remote(2));
  const [first, second, ...others] = sitesOf([...results, ...items]);
  t.regex(first!, lineHere);
  t.is(second, first!);
  t.is(others.length, 2);
  for (const site of others) t.regex(site, lineHere);
});

testInBoth('a ref that a task has made is known by its line there', async (t) => {
  const [ref] = (await putInTask.remote('theirs')) as [ObjectRef];
  t.regex(sitesOf([ref])[0]!, /support\/tasks\.[jt]s:\d+:\d+/);
});

runInBoth({ trackCallSites: true });
