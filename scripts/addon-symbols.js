// Which symbols an addon wants of the system's libraries that the oldest ones it is to run beside do
// not have. As a program: prints those of the files given, and exits with 1 when there are any.
import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { requireTool } from './toolchain.js';

/**
 * The newest version that is allowed of each library's symbols; of libraries not named here the addon
 * brings its own copy. GCC 8, for libgcc_s, is what RHEL 8 has beside its glibc 2.28.
 * @type {Record<string, number[] | undefined>}
 */
const newestAllowed = { GLIBC: [2, 28], GCC: [8] };

/**
 * @param {string} version `GLIBC_2.17`
 * @returns {boolean}
 */
function isAllowed(version) {
  const [, library = '', numbers = ''] = /^([A-Z]+)_([\d.]+)$/.exec(version) ?? [];
  const newest = newestAllowed[library];
  if (!newest) return false;
  const parts = numbers.split('.').map(Number);
  const difference = newest
    .map((part, index) => (parts[index] ?? 0) - part)
    .find((value) => value !== 0);
  return difference === undefined || difference < 0;
}

/**
 * @param {string} file
 * @returns {string[]} as `pthread_create@GLIBC_2.34`
 */
export function newerSymbols(file) {
  const readelf = requireTool('readelf', ['readelf'], 'binutils');
  const table = execFileSync(readelf, ['--dyn-syms', '--wide', file], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const wanted = table.matchAll(/ UND (?<symbol>\w+@(?<version>[\w.]+))/g);
  return [...wanted]
    .filter(({ groups }) => !isAllowed(groups?.version ?? ''))
    .map(({ groups }) => groups?.symbol ?? '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const newer = process.argv.slice(2).flatMap(newerSymbols);
  newer.forEach((symbol) => console.log(symbol));
  process.exitCode = newer.length === 0 ? 0 : 1;
}
