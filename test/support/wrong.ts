/** Passes what the types forbid. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- like `as`, inferred
export function wrong<T>(value: unknown): T {
  return value as T;
}
