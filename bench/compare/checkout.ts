/** The two sides of a comparison: built checkouts. */
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commitText } from '../harness/format.js';
import { commit } from '../harness/machine.js';
import { UsageError } from '../options.js';
import { runProgram } from './program.js';

/** Goes when it is disposed of, if it was made for the comparison. */
export class Checkout implements AsyncDisposable {
  readonly root: string;
  readonly #temporary: string | undefined;

  private constructor(root: string, temporary?: string) {
    this.root = root;
    this.#temporary = temporary;
  }

  /** That which this program belongs to. */
  static own(): Checkout {
    return new Checkout(ownRoot);
  }

  /**
   * The checkout in a directory, or of a revision of this repository, which is built then.
   *
   * @throws UsageError when it is neither, or the directory has no benchmarks that are built
   */
  static async open(base: string, signal: AbortSignal): Promise<Checkout> {
    if (statSync(base, { throwIfNoEntry: false })?.isDirectory() !== true) {
      return Checkout.#build(await revision(base, signal), signal);
    }
    const checkout = new Checkout(resolve(base));
    if (existsSync(checkout.trialEntry)) return checkout;
    throw new UsageError(`'${base}' has no build/bench/trial.js; 'npm run build' there makes it`);
  }

  static async #build(hash: string, signal: AbortSignal): Promise<Checkout> {
    const temporary = await mkdtemp(join(tmpdir(), 'mobula-bench-'));
    const root = join(temporary, 'checkout');
    const checkout = new Checkout(root, temporary);
    try {
      console.error(`Building ${hash.slice(0, 12)} in ${root}`);
      await runProgram(['git', 'worktree', 'add', '--detach', root, hash], ownRoot, signal);
      await installPackages(root, signal);
      await runProgram(['npm', 'run', 'build'], root, signal);
      return checkout;
    } catch (error) {
      await checkout[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The program of a trial. */
  get trialEntry(): string {
    return join(this.root, 'build/bench/trial.js');
  }

  /** The module that lists what can be measured. */
  get suitesEntry(): string {
    return join(this.root, 'build/bench/workloads/suites.js');
  }

  /** For people. */
  get label(): string {
    return commitText(commit(this.root));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#temporary === undefined) return;
    const remove = ['git', 'worktree', 'remove', '--force', this.root] as const;
    // An abort is no reason to leave it, and git may have removed it itself.
    await runProgram(remove, ownRoot, new AbortController().signal).catch(() => undefined);
    await rm(this.#temporary, { recursive: true, force: true });
  }
}

const ownRoot = fileURLToPath(new URL('../../../', import.meta.url));

async function revision(name: string, signal: AbortSignal): Promise<string> {
  const parse = ['git', 'rev-parse', '--verify', '--end-of-options', `${name}^{commit}`] as const;
  try {
    return (await runProgram(parse, ownRoot, signal)).trim();
  } catch {
    signal.throwIfAborted();
    throw new UsageError(`'${name}' is neither a directory nor a revision of this repository`);
  }
}

/** Those of this checkout do where the lock file is the same. */
async function installPackages(root: string, signal: AbortSignal): Promise<void> {
  const [lock, ownLock] = await Promise.all(
    [root, ownRoot].map((folder) => readFile(join(folder, 'package-lock.json'), 'utf8')),
  );
  const modules = join(ownRoot, 'node_modules');
  if (lock === ownLock && existsSync(modules)) await symlink(modules, join(root, 'node_modules'));
  else await runProgram(['npm', 'ci', '--ignore-scripts'], root, signal);
}
