/** The functions that all pools run. */

export function noop(): void {
  return;
}

export function lastOf(numbers: Float64Array): number {
  return numbers[numbers.length - 1]!;
}
