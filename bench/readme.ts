/** `npm run bench:readme`: makes the README's performance section from a results file. */
import { readResults } from './harness/results.js';
import { Readme } from './readme/readme.js';

const usage = `Usage: npm run bench:readme -- [RESULTS.json]

Makes the performance section of README.md from a results file of 'npm run bench', and keeps the
file and its charts in bench/results/kept. Without an argument: from the one that is kept.`;

const [path, ...others] = process.argv.slice(2);
const readme = new Readme();
try {
  if (path === '--help' || others.length > 0) {
    console.log(usage);
  } else {
    await readme.update(await readResults(path ?? readme.results));
    console.log(`Written: ${readme.path}, ${readme.folder}`);
  }
} catch (error) {
  console.error(`bench:readme: ${(error as Error).message}`);
  process.exitCode = 1;
}
