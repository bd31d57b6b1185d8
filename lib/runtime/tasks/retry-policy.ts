export type ErrorType = abstract new (...args: never[]) => Error;

/** When a task is run again, and how often. */
export interface RetryPolicy {
  /** At most so often. Ends of workers count when the task was to blame. */
  readonly retries: number;
  /** What it may throw: anything, or an instance of one of these. */
  readonly retryErrors: boolean | readonly ErrorType[];
  /** Milliseconds to wait before it does. */
  readonly retryDelay: number;
}

export const noRetries: RetryPolicy = { retries: 0, retryErrors: false, retryDelay: 0 };

export function isRetryable({ retryErrors }: RetryPolicy, error: unknown): boolean {
  if (typeof retryErrors === 'boolean') return retryErrors;
  return retryErrors.some((type) => error instanceof type);
}
