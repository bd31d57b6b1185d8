/** How much is measured. */
export interface Plan {
  /** Smaller workloads too. */
  readonly quick: boolean;
  /** Processes per contender. */
  readonly trials: number;
  /** V8 compiles what is hot for about a second. */
  readonly warmUpMs: number;
  /**
   * Measurements per trial: this many, and more until {@link windows} x {@link windowMs} are over.
   */
  readonly windows: number;
  readonly windowMs: number;
}

const full: Plan = { quick: false, trials: 7, warmUpMs: 2000, windows: 10, windowMs: 80 };
const quick: Plan = { quick: true, trials: 3, warmUpMs: 800, windows: 5, windowMs: 40 };

export function planOf(isQuick: boolean, trials?: number): Plan {
  const plan = isQuick ? quick : full;
  return { ...plan, trials: trials ?? plan.trials };
}
