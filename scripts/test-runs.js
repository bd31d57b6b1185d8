import { spawn } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { root } from './toolchain.js';

/** @typedef {{ passed: number, failed: number }} Counts */

/**
 * Runs a command, passes its output on and gives the output back.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {string} [cwd]
 * @returns {Promise<{ output: string, succeeded: boolean }>}
 */
async function run(command, args, env, cwd = root) {
  const child = spawn(command, args, { cwd, env, stdio: ['inherit', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
    output += text;
    process.stdout.write(text);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ output, succeeded: code === 0 });
    });
  });
}

/**
 * A run of no tests, and one that fails without a failing test, by a crash for example, count as one
 * failure.
 * @param {Counts} counts
 * @param {boolean} succeeded
 * @returns {Counts}
 */
function settle({ passed, failed }, succeeded) {
  const proven = succeeded && passed > 0;
  return { passed, failed: proven ? failed : Math.max(failed, 1) };
}

/**
 * Runs a command that reports `N passed, N failed` as its last line.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Counts>}
 */
export async function runCounted(command, args, env) {
  const { output, succeeded } = await run(command, args, env);
  const match = /^(\d+) passed, (\d+) failed\s*$/m.exec(output.trimEnd().split('\n').at(-1) ?? '');
  return settle({ passed: Number(match?.[1] ?? 0), failed: Number(match?.[2] ?? 0) }, succeeded);
}

/**
 * Runs a command that counts as one test.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {string} [cwd]
 * @returns {Promise<Counts>}
 */
export async function runWhole(command, args, env, cwd) {
  const { succeeded } = await run(command, args, env, cwd);
  return { passed: succeeded ? 1 : 0, failed: succeeded ? 0 : 1 };
}

/**
 * Runs AVA on a Node executable, by default for this package.
 * @param {string} node
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {string} [folder] of another package, with a configuration of its own
 * @returns {Promise<Counts>}
 */
export async function runAva(node, args, env, folder) {
  const cli = join(root, 'node_modules/ava/entrypoints/cli.mjs');
  const { output, succeeded } = await run(node, [cli, '--tap', ...args], env, folder);
  const passed = Number(/^# pass (\d+)$/m.exec(output)?.[1] ?? 0);
  const failed = Number(/^# fail (\d+)$/m.exec(output)?.[1] ?? 0);
  return settle({ passed, failed }, succeeded);
}

/**
 * Prints the sum as a line of its own, `N passed, N failed`, and sets the exit code.
 * @param {Counts[]} counts
 */
export function conclude(counts) {
  const passed = counts.reduce((total, run) => total + run.passed, 0);
  const failed = counts.reduce((total, run) => total + run.failed, 0);
  console.log(`${String(passed)} passed, ${String(failed)} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
