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
  /**
   * What a window gives: the mean time of its operations, or the median of each one's. Then the
   * trial gives percentiles as well.
   */
  readonly statistic: 'mean' | 'p50';
  /**
   * Fewest operations in a window, where its beginning and end are not what is meant; default 1.
   */
  readonly minOperations?: number;
  /** Most operations in a window, where more would not fit into memory; default no limit. */
  readonly maxOperations?: number;
  /** What a chart by size draws this row at. */
  readonly payload?: Payload;
  readonly contenders: readonly Contender[];
  readonly bars?: readonly Bar[];
  /** What others have published of the same work; shown beside what was measured, never judged. */
  readonly published?: readonly Published[];
}

export interface Payload {
  readonly kind: 'argument' | 'result';
  readonly bytes: number;
}

export interface Published {
  readonly name: string;
  /** In the workload's unit. */
  readonly value: number;
  /** Version and machine. */
  readonly source: string;
}

export interface Contender {
  readonly name: string;
  /** Needs a package of bench/peers. */
  readonly isPeer?: boolean;
  /** What a chart of scaling draws it at. */
  readonly workers?: number;
  /** Why this machine cannot start it; it is left out then, with a line on stderr that says so. */
  readonly whyNot?: () => string | undefined;
  /** Called once, in a process that measures nothing else. */
  start(): Subject | Promise<Subject>;
}

/** Mobula's own contenders are called `mobula`, or `mobula, ` and what sets them apart. */
export function isMobula(contender: string): boolean {
  return contender === 'mobula' || contender.startsWith('mobula, ');
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

/** More of it is better; of the other units, which are times, less is. */
export function isRate(label: string): boolean {
  return label.endsWith('/s');
}

export const microseconds: Unit = { label: 'us', from: (ms) => ms * 1e3 };

export const milliseconds: Unit = { label: 'ms', from: (ms) => ms };

export const thousandsPerSecond: Unit = { label: 'k/s', from: (ms) => 1 / ms };

/** Of operations that move `bytes` each. */
export function gigabytesPerSecond(bytes: number): Unit {
  return { label: 'GB/s', from: (ms) => bytes / ms / 1e6 };
}
