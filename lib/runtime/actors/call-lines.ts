import type { Load, Order } from '../tasks/request.js';
import type { ValueSlot } from '../objects/value-slot.js';
import type { ActorAddress } from './actor-address.js';

/** The calls that one thread makes of one actor, through whichever of its handles. */
export class CallLine implements Order, Load {
  last: ValueSlot | undefined;
  pending = 0;
}

type Lines = Map<string, WeakRef<CallLine>>;

/** For ever, as the registry of collected refs is. */
const collected = new FinalizationRegistry<{ lines: Lines; key: string }>(({ lines, key }) => {
  if (lines.get(key)?.deref() === undefined) lines.delete(key);
});

/**
 * The lines of the actors of which this thread may come by a second handle. Lines of others need
 * not be known here.
 */
export class CallLines {
  readonly #lines: Lines = new Map();

  of({ index, generation }: ActorAddress): CallLine {
    const key = `${index}/${generation}`;
    return this.#lines.get(key)?.deref() ?? this.#add(key, new CallLine());
  }

  /** A handle that uses `line` leaves this thread, and may come back. */
  share({ index, generation }: ActorAddress, line: CallLine): void {
    const key = `${index}/${generation}`;
    if (this.#lines.get(key)?.deref() === undefined) this.#add(key, line);
  }

  #add(key: string, line: CallLine): CallLine {
    this.#lines.set(key, new WeakRef(line));
    collected.register(line, { lines: this.#lines, key });
    return line;
  }
}
