/** `npm run bench`: measures, prints a table and writes a file. */
import { basename } from 'node:path';
import { writeCharts } from './charts/write.js';
import { stopOnSignals } from './harness/interrupt.js';
import { commit, load, machine } from './harness/machine.js';
import { installPeers } from './harness/peers.js';
import { startProgress } from './harness/progress.js';
import { reportText } from './harness/report.js';
import { documentOf, save, type ResultsDocument } from './harness/results.js';
import { countTrials, runSuites, select } from './harness/run.js';
import type { Suite } from './harness/workload.js';
import { parseOptions, usage, UsageError, type Options } from './options.js';
import { suitesOf } from './workloads/suites.js';

function chosenSuites({ suites, only = '', peers, plan }: Options): Suite[] {
  const wanted = suitesOf(plan).filter(({ name }) => suites.includes(name));
  const named = select(wanted, (_, { name }) => name.includes(only));
  if (named.length === 0) throw new UsageError(`no workload has '${only}' in its name`);
  const chosen = withoutMissing(named);
  const own = select(chosen, ({ isPeer }) => isPeer !== true);
  const hasPeers = countTrials(own, plan) < countTrials(chosen, plan);
  if (!peers || !hasPeers) return own;
  if (installPeers()) return chosen;
  console.error('bench: the peers could not be installed and are left out; see bench/peers');
  return own;
}

function withoutMissing(suites: readonly Suite[]): Suite[] {
  const reasons = new Map<string, string | undefined>();
  return select(suites, ({ name, whyNot }) => {
    if (!reasons.has(name)) {
      const reason = whyNot?.();
      reasons.set(name, reason);
      if (reason !== undefined) console.error(`bench: ${name} is left out: ${reason}`);
    }
    return reasons.get(name) === undefined;
  });
}

async function measured(options: Options, signal: AbortSignal): Promise<ResultsDocument> {
  const { plan } = options;
  const suites = chosenSuites(options);
  const startedAt = new Date().toISOString();
  const loadBefore = load();
  const progress = startProgress(countTrials(suites, plan));
  try {
    const results = await runSuites(suites, plan, (...next) => progress.next(...next), signal);
    const setting = { startedAt, plan, machine: machine(), commit: commit(), loadBefore };
    return documentOf({ ...setting, loadAfter: load() }, results);
  } finally {
    progress.stop();
  }
}

async function run(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(usage);
    return;
  }
  const document = await measured(options, stopOnSignals());
  console.log(options.json ? JSON.stringify(document, null, 2) : reportText(document));
  const saved = await save(document, options.results);
  console.error(`Results: ${saved}`);
  const charts = await writeCharts(document, options.results, `${basename(saved, '.json')}-`);
  if (charts.length > 0) console.error(`Charts: ${charts.join(', ')}`);
  const contenders = document.workloads.flatMap((workload) => workload.contenders);
  if (contenders.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
}

try {
  await run();
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  process.exitCode = 1;
}
