/** Shows how far a run is, on stderr: a live bar on a terminal, a line for each trial elsewhere. */
import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  /** A trial begins. */
  next(what: string, trial: number): void;
  stop(): void;
}

export function startProgress(trials: number): Progress {
  return process.stderr.isTTY ? startBar(trials) : startLines();
}

function startBar(trials: number): Progress {
  const bar = new SingleBar(
    {
      format: '{bar} {value}/{total} {what}',
      stream: process.stderr,
      clearOnComplete: true,
      // The terminal is left as it was even when Ctrl-C ends the process.
      hideCursor: false,
    },
    Presets.shades_classic,
  );
  let done = 0;
  bar.start(trials, done, { what: '' });
  return { next: (what) => bar.update(done++, { what }), stop: () => bar.stop() };
}

function startLines(): Progress {
  return {
    next: (what, trial) => void process.stderr.write(`${what}, trial ${trial}\n`),
    stop: () => undefined,
  };
}
