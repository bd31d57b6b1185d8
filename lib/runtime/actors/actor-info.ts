import { types } from 'node:util';
import type { AnyClass, Declaration } from '../tasks/functions.js';

/**
 * What is said of an actor where it is made; what {@link ActorInfo} adds follows from its class.
 */
interface Limits {
  /** How many calls a thread may have unanswered; Infinity: any number. */
  readonly maxPendingCalls: number;
  /** How often a call is sent again; Infinity: endlessly. */
  readonly maxTaskRetries: number;
  /** The names of its concurrency groups. */
  readonly groups: readonly string[];
}

type Encoded = [
  key: number,
  className: string,
  generators: readonly string[],
  groups: readonly string[],
  maxPendingCalls: number | null,
  maxTaskRetries: number | null,
];

/**
 * What a handle knows of its actor wherever it travels. Immutable, and the same for all actors that
 * were made with the same options.
 */
export class ActorInfo implements Limits {
  /** The declaration of its class. */
  readonly key: number;
  readonly className: string;
  /** The methods whose calls give streams. */
  readonly generators: readonly string[];
  readonly groups: readonly string[];
  readonly maxPendingCalls: number;
  readonly maxTaskRetries: number;
  #encoded: Uint8Array | undefined;

  private constructor(
    key: number,
    className: string,
    generators: readonly string[],
    limits: Limits,
  ) {
    this.key = key;
    this.className = className;
    this.generators = generators;
    this.groups = limits.groups;
    this.maxPendingCalls = limits.maxPendingCalls;
    this.maxTaskRetries = limits.maxTaskRetries;
  }

  static of({ key, name, target }: Declaration<AnyClass>, limits: Limits): ActorInfo {
    return new ActorInfo(key, name, generatorsOf(target), limits);
  }

  /** JSON, in which null stands for Infinity. */
  encode(): Uint8Array {
    const { key, className, generators, groups, maxPendingCalls, maxTaskRetries } = this;
    const fields = [key, className, generators, groups, maxPendingCalls, maxTaskRetries];
    return (this.#encoded ??= Buffer.from(JSON.stringify(fields)));
  }

  static decode(bytes: Uint8Array): ActorInfo {
    const fields = JSON.parse(Buffer.from(bytes).toString()) as Encoded;
    const [key, className, generators, groups, maxPendingCalls, maxTaskRetries] = fields;
    return new ActorInfo(key, className, generators, {
      groups,
      maxPendingCalls: maxPendingCalls ?? Infinity,
      maxTaskRetries: maxTaskRetries ?? Infinity,
    });
  }
}

/** A class's own methods hide those that it inherits; getters are not called. */
function generatorsOf(type: AnyClass): string[] {
  const methods = new Map<string, unknown>();
  let prototype = type.prototype as object | null;
  for (; prototype !== null; prototype = Object.getPrototypeOf(prototype) as object | null) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (!methods.has(name)) methods.set(name, value);
    }
  }
  return [...methods].filter(([, value]) => types.isGeneratorFunction(value)).map(([name]) => name);
}
