/**
 * The words of the harness: a suite has workloads, a workload has contenders that do the same work.
 */

export interface Suite {
  readonly name: string;
  readonly workloads: readonly Workload[];
}

export interface Workload {
  readonly name: string;
  readonly unit: Unit;
  /** What a window gives: the mean time of its operations, or the median of each one's. */
  readonly statistic: 'mean' | 'p50';
  /**
   * Fewest operations in a window, where its beginning and end are not what is meant; default 1.
   */
  readonly minOperations?: number;
  /** Most operations in a window, where more would not fit into memory; default no limit. */
  readonly maxOperations?: number;
  readonly contenders: readonly Contender[];
  readonly bars?: readonly Bar[];
}

export interface Contender {
  readonly name: string;
  /** Needs a package of bench/peers. */
  readonly isPeer?: boolean;
  /** Called once, in a process that measures nothing else. */
  start(): Subject | Promise<Subject>;
}

/** A contender that is ready to be measured. */
export interface Subject {
  /** Makes `count` operations possible; not part of the time. */
  prepare?(count: number): void | Promise<void>;
  /** Does the operation `count` times. */
  run(count: number): void | Promise<void>;
  /** Gives everything back. */
  stop?(): void | Promise<void>;
}

/** What a contender should reach, in the workload's unit or as a ratio to another contender. */
export interface Bar {
  readonly contender: string;
  readonly against?: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Unit {
  readonly label: string;
  /** From the milliseconds that one operation takes. */
  from(milliseconds: number): number;
}

export const microseconds: Unit = { label: 'us', from: (ms) => ms * 1e3 };

export const milliseconds: Unit = { label: 'ms', from: (ms) => ms };

export const thousandsPerSecond: Unit = { label: 'k/s', from: (ms) => 1 / ms };

/** Of operations that move `bytes` each. */
export function gigabytesPerSecond(bytes: number): Unit {
  return { label: 'GB/s', from: (ms) => bytes / ms / 1e6 };
}
