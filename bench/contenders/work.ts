/** The functions that all pools run. */

export function noop(): void {
  return;
}

export function countArguments(...values: unknown[]): number {
  return values.length;
}

/** Some milliseconds of arithmetic. */
export function burn(): number {
  let sum = 0;
  for (let i = 0; i < 3_000_000; i++) sum = (Math.imul(sum, 31) + i) | 0;
  return sum;
}

export function lastOf(numbers: Float64Array): number {
  return numbers[numbers.length - 1]!;
}
