import {
  checkDuration,
  checkKeys,
  checkObject,
  checkString,
  checkTimes,
  outOfRange,
} from '../../common/validate.js';
import { checkReturns, usualBackpressure } from '../tasks/result-options.js';
import { noRetries, type RetryPolicy } from '../tasks/retry-policy.js';
import type { Terms } from '../tasks/task-spec.js';
import type { ActorInfo } from './actor-info.js';

/** The options of calls. */
export interface CallOptions {
  /**
   * From the start of the call to its end; also ends a synchronous loop, and its worker. Default
   * none.
   */
  timeout?: number | string;
  /**
   * How often it is sent again when the worker ends while it runs, -1: endlessly; default the
   * actor's.
   */
  retries?: number;
  /** More than 1: the method returns an array of so many results, each with a ref of its own. */
  returns?: number;
  /** One of the actor's groups: it overlaps with calls of that group as often as the group says. */
  concurrencyGroup?: string;
}

/** How a call is to be made and answered. */
export interface CheckedCallOptions {
  readonly policy: RetryPolicy;
  readonly terms: Terms | undefined;
  readonly returns: number;
  /** Undefined for a method that is no generator. */
  readonly backpressure: number | undefined;
}

const known: readonly (keyof CallOptions)[] = ['timeout', 'retries', 'returns', 'concurrencyGroup'];

/** Here, not with the other checks of what users give: handles come with values, too. */
export function checkCallOptions(
  info: ActorInfo,
  method: string,
  options: CallOptions,
): CheckedCallOptions {
  checkObject('options', options);
  checkKeys('options', options, known);
  const { timeout = Infinity, retries, returns = 1, concurrencyGroup } = options;
  const isGenerator = info.generators.includes(method);
  const backpressure = isGenerator ? usualBackpressure : undefined;
  const duration = checkDuration('options.timeout', timeout);
  checkReturns(returns, isGenerator);
  if (concurrencyGroup !== undefined) checkGroup(info, concurrencyGroup);
  const terms: Terms = {
    ...(duration !== Infinity && { timeout: duration }),
    ...(returns > 1 && { returns }),
    ...(backpressure !== undefined && { backpressure }),
    ...(concurrencyGroup !== undefined && { concurrencyGroup }),
  };
  return {
    policy: { ...noRetries, retries: retriesOf(info, retries) },
    terms: Object.keys(terms).length === 0 ? undefined : terms,
    returns,
    backpressure,
  };
}

function retriesOf({ maxTaskRetries }: ActorInfo, retries: unknown): number {
  return retries === undefined ? maxTaskRetries : checkTimes('options.retries', retries);
}

function checkGroup({ className, groups }: ActorInfo, group: unknown): void {
  checkString('options.concurrencyGroup', group);
  if (groups.includes(group)) return;
  const names = groups.map((name) => `'${name}'`).join(', ');
  const expected =
    names === '' ? `left out: ${className} has no groups` : `a group of ${className}: ${names}`;
  throw outOfRange('options.concurrencyGroup', expected, group);
}
