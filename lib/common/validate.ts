/**
 * Checks of public arguments, made once, at the call, in the user's words: a wrong type is a
 * TypeError, a value out of bounds a RangeError, both in the style of Node's own.
 */

import { inspect } from 'node:util';

const units: Record<string, number> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

const durations: Record<string, number> = { ms: 1, s: 1e3, m: 60e3, h: 3600e3 };

function received(value: unknown): string {
  if (value === null || value === undefined) return `Received ${String(value)}`;
  if (typeof value === 'function') return `Received function ${value.name}`;
  const text = inspect(value, { depth: -1 });
  const short = text.length > 60 ? `${text.slice(0, 60)}...` : text;
  return typeof value === 'object'
    ? `Received ${short}`
    : `Received type ${typeof value} (${short})`;
}

export function invalidType(name: string, expected: string, value: unknown): TypeError {
  const error = new TypeError(`The "${name}" argument must be ${expected}. ${received(value)}`);
  return Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' });
}

export function outOfRange(name: string, expected: string, value: unknown): RangeError {
  const error = new RangeError(
    `The value of "${name}" is out of range. It must be ${expected}. ${received(value)}`,
  );
  return Object.assign(error, { code: 'ERR_OUT_OF_RANGE' });
}

export function checkObject(name: string, value: unknown): asserts value is object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw invalidType(name, 'an object', value);
}

/** Refuses options that do not exist: a misspelt one must not be passed over. */
export function checkKeys(name: string, value: object, known: readonly string[]): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const error = new TypeError(
      `The property "${name}.${key}" is not an option. Known are: ${known.join(', ')}`,
    );
    throw Object.assign(error, { code: 'ERR_INVALID_ARG_VALUE' });
  }
}

export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw invalidType(name, 'a function', value);
}

export function checkBoolean(name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw invalidType(name, 'a boolean', value);
}

export function checkString(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw invalidType(name, 'a string', value);
}

export function checkOneOf<T extends string>(
  name: string,
  value: unknown,
  options: readonly T[],
): T {
  if (typeof value === 'string' && (options as readonly string[]).includes(value))
    return value as T;
  const list = options.map((option) => `'${option}'`).join(', ');
  if (typeof value !== 'string') throw invalidType(name, `one of ${list}`, value);
  throw outOfRange(name, `one of ${list}`, value);
}

export function checkInteger(
  name: string,
  value: unknown,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw outOfRange(name, `an integer >= ${min} and <= ${max}`, value);
}

/** How often something may happen: -1, which becomes Infinity, means endlessly. */
export function checkTimes(name: string, value: unknown): number {
  const times = checkInteger(name, value, -1);
  return times === -1 ? Infinity : times;
}

/** An amount of a resource. */
export function checkQuantity(name: string, value: unknown, max: number): number {
  if (typeof value !== 'number') throw invalidType(name, 'a number', value);
  if (value >= 0 && value <= max) return value;
  throw outOfRange(name, `>= 0 and <= ${max}`, value);
}

function parseQuantity(
  name: string,
  value: unknown,
  table: Record<string, number>,
  expected: string,
): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string')
    throw invalidType(name, `a number or a string such as ${expected}`, value);
  const match = /^(\d+(?:\.\d+)?)\s*([a-zA-Z]+)$/.exec(value.trim());
  const factor = match ? table[match[2]!] : undefined;
  if (!match || factor === undefined) {
    throw outOfRange(name, `a number or a string such as ${expected}`, value);
  }
  return Math.round(Number(match[1]) * factor);
}

/** Bytes, from a number or a string such as `'512MB'` or `'4GiB'`. */
export function checkSize(name: string, value: unknown, min: number): number {
  const size = parseQuantity(name, value, units, "'512MB' or '4GiB'");
  if (Number.isSafeInteger(size) && size >= min) return size;
  throw outOfRange(name, `a whole number of bytes >= ${min}`, value);
}

/** Milliseconds, from a number or a string such as `'250ms'` or `'5s'`; Infinity means no limit. */
export function checkDuration(name: string, value: unknown): number {
  const duration = parseQuantity(name, value, durations, "'250ms' or '5s'");
  if (duration >= 0) return duration;
  throw outOfRange(name, 'a number of milliseconds >= 0', value);
}

export function checkSignal(name: string, value: unknown): asserts value is AbortSignal {
  if (!(value instanceof AbortSignal)) throw invalidType(name, 'an AbortSignal', value);
}
