import { remote } from 'mobula';

/** Named like the one of tasks.ts, and another class. */
export class QuotaError extends Error {
  readonly used: number;
  constructor(used: number) {
    super(`${used} used`);
    this.used = used;
  }
  get isLarge(): boolean {
    return this.used > 100;
  }
}

class HiddenError extends RangeError {
  override readonly name = 'HiddenError';
}

export const throwOtherQuota = remote((used: number) => {
  throw new Error('outer', { cause: new AggregateError([new QuotaError(used)]) });
});

export const throwHidden = remote(() => {
  throw new HiddenError('nobody else has the class');
});

/** What class an error has where it arrives as an argument. */
export const classOf = remote((error: Error) => ({
  isQuotaError: error instanceof QuotaError,
  name: error.constructor.name,
}));
