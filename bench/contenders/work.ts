/** The functions that all pools run; each takes at most one argument. */

export function noop(): void {
  return;
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

export function ones(length: number): Float64Array {
  return new Float64Array(length).fill(1);
}

export function copyOf(numbers: Float64Array): Float64Array {
  return numbers.slice();
}
