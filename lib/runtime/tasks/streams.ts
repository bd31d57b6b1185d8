import type { PeerAddress } from '../../transport/peer.js';
import type { Responder } from './responder.js';
import type { RunningTask } from './running-task.js';
import { StreamProducer, type AnyGenerator, type Lender } from './stream-producer.js';

/** The generators that run in a worker. */
export class Streams {
  readonly #producers = new Set<StreamProducer>();
  readonly #responder: Responder;
  readonly #lender: Lender;

  constructor(responder: Responder, lender: Lender) {
    this.#responder = responder;
    this.#lender = lender;
  }

  /** As {@link StreamProducer.run}. */
  async run(task: RunningTask, iterator: AnyGenerator): Promise<boolean> {
    const producer = new StreamProducer(task, iterator, this.#responder, this.#lender);
    this.#producers.add(producer);
    try {
      return await producer.run();
    } finally {
      this.#producers.delete(producer);
    }
  }

  /** The reader of the stream of that number has taken so many items since the beginning. */
  taken(reader: PeerAddress, sequence: number, count: number): void {
    for (const producer of this.#producers) {
      if (producer.task.isOf(reader, sequence)) producer.taken(count);
    }
  }
}
