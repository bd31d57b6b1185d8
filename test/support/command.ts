/** Runs a program of its own, and sees what it leaves behind. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sharedMemory, sharedMemorySince } from './shared-memory.js';

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const MARK = 'MOBULA_TEST_MARK';
const build = new URL('../../', import.meta.url);
const root = fileURLToPath(new URL('../', build));

/**
 * A running program, in a process group of its own. A mark in their environment tells its
 * descendants, even when it has died before them.
 */
export class Command implements AsyncDisposable {
  /** Its directory for temporary files. */
  readonly directory: string;
  readonly outcome: Promise<Outcome>;
  readonly #mark = randomUUID();
  readonly #sharedMemory = sharedMemory();
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
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
    const path = fileURLToPath(new URL(script, build));
    return new Command([path, ...(await argsFor(directory))], directory);
  }

  /** Runs Node in the package's folder with these arguments. */
  static async node(...args: string[]): Promise<Command> {
    return new Command(args, await mkdtemp(join(tmpdir(), 'mobula-test-')));
  }

  private constructor(args: readonly string[], directory: string) {
    this.directory = directory;
    this.#child = spawn(process.execPath, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: root,
      detached: true,
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

  /** What it has written so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** Ends its standard input with this text. */
  feed(text: string): void {
    this.#child.stdin.end(text);
  }

  /** Nobody reads its standard output from now on. */
  closeStdout(): void {
    this.#child.stdout.destroy();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Signals the whole process group, as a terminal does on Ctrl-C. */
  killGroup(signal: NodeJS.Signals): void {
    process.kill(-this.#child.pid!, signal);
  }

  /** Waits until stderr has shown the text. */
  untilStderrHas(expected: string): Promise<void> {
    return this.#until(this.#child.stderr, () => this.#stderr, expected);
  }

  /** Waits until stdout has shown the text. */
  untilStdoutHas(expected: string): Promise<void> {
    return this.#until(this.#child.stdout, () => this.#stdout, expected);
  }

  async #until(stream: Readable, text: () => string, expected: string): Promise<void> {
    while (!text().includes(expected)) {
      if (stream.readableEnded) {
        throw new Error(`the program ended without '${expected}':\n${this.#stdout}${this.#stderr}`);
      }
      await Promise.race([once(stream, 'data'), this.outcome]);
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
    while (this.#hasLeft() && Date.now() < deadline) await delay(20);
    return {
      processes: this.descendants(),
      files: [...(await readdir(this.directory)), ...sharedMemorySince(this.#sharedMemory)],
    };
  }

  #hasLeft(): boolean {
    return this.descendants().length > 0 || sharedMemorySince(this.#sharedMemory).length > 0;
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
