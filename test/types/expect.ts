/** Compile-time assertions: `tsc` is the test. */

// The type parameters are there to be compared.
/* eslint-disable @typescript-eslint/no-unnecessary-type-parameters */
type IsEqual<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only when the two types are the same, `any` and `unknown` told apart. */
export function expectType<Expected>() {
  return <Actual>(
    value: () => Actual,
    ...same: IsEqual<Expected, Actual> extends true ? [] : [never]
  ): unknown => [value, same];
}
