/** Runs an example as a command, and sees what it leaves behind. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const MARK = 'MOBULA_TEST_MARK';

/** A running example. A mark in their environment tells its descendants, even when it has died before them. */
export class Command implements AsyncDisposable {
  /** Its directory for temporary files. */
  readonly directory: string;
  readonly outcome: Promise<Outcome>;
  readonly #mark = randomUUID();
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  #stdout = '';
  #stderr = '';

  /**
   * @param script path below `build/`
   * @param argsFor makes the arguments, told the directory for temporary files
   */
  static async start(
    script: string,
    argsFor: (directory: string) => string[] | Promise<string[]> = () => [],
  ): Promise<Command> {
    const directory = await mkdtemp(join(tmpdir(), 'mobula-test-'));
    return new Command(script, await argsFor(directory), directory);
  }

  private constructor(script: string, args: readonly string[], directory: string) {
    this.directory = directory;
    const path = fileURLToPath(new URL(`../../${script}`, import.meta.url));
    this.#child = spawn(process.execPath, [path, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: directory, [MARK]: this.#mark },
    });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.outcome = once(this.#child, 'close').then(([code, signal]) => ({
      code: code as Outcome['code'],
      signal: signal as Outcome['signal'],
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until stderr has shown the text. */
  async untilStderrHas(expected: string): Promise<void> {
    while (!this.#stderr.includes(expected)) {
      if (this.#child.stderr.readableEnded) {
        throw new Error(`stderr ended without '${expected}':\n${this.#stderr}`);
      }
      await Promise.race([once(this.#child.stderr, 'data'), this.outcome]);
    }
  }

  /** Pids of its living descendants. */
  descendants(): number[] {
    const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
    return pids.filter((pid) => pid !== this.#child.pid && isMarked(pid, this.#mark));
  }

  /** What it has left behind, given some time for going away. */
  async remains(milliseconds: number): Promise<{ processes: number[]; files: string[] }> {
    const deadline = Date.now() + milliseconds;
    while (this.descendants().length > 0 && Date.now() < deadline) await delay(20);
    return { processes: this.descendants(), files: await readdir(this.directory) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    for (const pid of this.descendants()) process.kill(pid, 'SIGKILL');
    await rm(this.directory, { recursive: true, force: true });
  }
}

function isMarked(pid: number, mark: string): boolean {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return variables.includes(`${MARK}=${mark}`);
  } catch {
    return false; // It has just ended, or belongs to somebody else.
  }
}
