import type * as SupervisionModule from '../../lib/runtime/actors/supervision.js';
import type { Strategy, SupervisedChild } from '../../lib/runtime/actors/supervision.js';
import { load } from './internals.js';

const { Supervision } = (await load('runtime/actors/supervision.js')) as typeof SupervisionModule;

/** A child whose log says what its supervisor does with it, and which fails as it is told. */
export class FakeChild implements SupervisedChild {
  readonly name: string;
  /** What its next starts fail with. */
  failures: Error[] = [];
  /** Held up before a start or an end returns. */
  startGate: Promise<void> = Promise.resolve();
  endGate: Promise<void> = Promise.resolve();
  /** Goes down in its next start. */
  dropsInStart = false;
  readonly #log: string[];
  #listener: (reason: Error) => void = () => undefined;

  constructor(name: string, log: string[]) {
    this.name = name;
    this.#log = log;
  }

  async start(): Promise<void> {
    this.#log.push(`start ${this.name}`);
    const failure = this.failures.shift();
    if (this.dropsInStart) this.drop();
    this.dropsInStart = false;
    await this.startGate;
    if (failure !== undefined) throw failure;
    this.#log.push(`${this.name} up`);
  }

  async end(): Promise<void> {
    this.#log.push(`end ${this.name}`);
    await this.endGate;
    this.#log.push(`${this.name} ended`);
  }

  onDown(listener: (reason: Error) => void): void {
    this.#listener = listener;
  }

  retire(): void {
    this.#log.push(`retire ${this.name}`);
  }

  drop(reason = new Error(`${this.name} has failed`)): void {
    this.#listener(reason);
  }
}

/** Supervisors whose clock stands still unless it is moved, over children that write one log. */
export class Family {
  readonly log: string[] = [];
  now = 0;

  child(name: string): FakeChild {
    return new FakeChild(name, this.log);
  }

  children<Name extends string>(...names: Name[]): Record<Name, FakeChild> {
    const entries = names.map((name) => [name, this.child(name)]);
    return Object.fromEntries(entries) as Record<Name, FakeChild>;
  }

  supervise(
    strategy: Strategy,
    children: Record<string, SupervisedChild>,
    maxRestarts = 10,
    within = 1000,
  ): InstanceType<typeof Supervision> {
    const intensity = { maxRestarts, within };
    return new Supervision(strategy, Object.values(children), intensity, () => this.now);
  }

  /** What has been logged since the last time, once nothing more comes. */
  async events(): Promise<string[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.log.splice(0);
  }
}
