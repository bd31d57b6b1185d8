/** Shows how far a run is, on stderr: a live bar on a terminal, plain lines elsewhere. */
import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  update(done: number): void;
  stop(): void;
}

export function startProgress(label: string, total: number): Progress {
  return process.stderr.isTTY ? startBar(label, total) : startLines(label, total);
}

function startBar(label: string, total: number): Progress {
  const bar = new SingleBar(
    {
      format: `${label.padEnd(20)} {bar} {value}/{total} parts`,
      stream: process.stderr,
      clearOnComplete: true,
      // The terminal is left as it was even when Ctrl-C ends the process amid a run.
      hideCursor: false,
      linewrap: true,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return { update: (done) => bar.update(done), stop: () => bar.stop() };
}

function startLines(label: string, total: number): Progress {
  const QUARTERS = 4;
  let told = 0;
  return {
    update(done) {
      const quarter = Math.floor((done * QUARTERS) / total);
      if (quarter === told) return;
      told = quarter;
      process.stderr.write(`${label}: ${done} of ${total} parts\n`);
    },
    stop: () => undefined,
  };
}
