import { checkInteger } from '../../common/validate.js';

const maxResults = 10_000;

/** How many unread items a generator may be ahead of its reader unless it is told otherwise. */
export const usualBackpressure = 16;

export function checkReturns(returns: number, isGenerator: boolean): void {
  checkInteger('options.returns', returns, 1, maxResults);
  if (returns > 1 && isGenerator) {
    throw new TypeError('options.returns is not for generators: they give a stream');
  }
}
