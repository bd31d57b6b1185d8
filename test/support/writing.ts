/** A task that writes to stdout and stderr. */
import { remote } from 'mobula';

const writers = {
  parts() {
    process.stdout.write('one\ntw');
    process.stdout.write(Buffer.from('o\nthree: ä'));
    process.stderr.write('wrong');
  },
  much() {
    for (let i = 0; i < manyLines; i++) console.log(`line ${i} of many`);
  },
  'much-and-exit'() {
    writers.much();
    process.exit(0);
  },
};

export type Writer = keyof typeof writers;
export const manyLines = 20_000;

export const write = remote((writer: Writer) => writers[writer]());
