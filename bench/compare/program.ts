import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Runs a program to its end; an abort ends it and all that it has started. Returns its stdout. */
export async function runProgram(
  [program, ...args]: readonly [string, ...string[]],
  cwd: string,
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted();
  // A process group of its own is what can be ended as a whole.
  const child = spawn(program, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const end = () => process.kill(-child.pid!, 'SIGTERM');
  signal.addEventListener('abort', end);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    signal.throwIfAborted();
    if (code !== 0) {
      const said = `${stdout}${stderr}`.trim().split('\n').slice(-20).join('\n');
      throw new Error(`${program} ${args.join(' ')} failed:\n${said}`);
    }
    return stdout;
  } finally {
    signal.removeEventListener('abort', end);
  }
}
