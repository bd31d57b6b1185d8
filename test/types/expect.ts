/** Compile-time assertions: `tsc` is the test. */

type IsEqual<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only when the two types are the same, `any` and `unknown` told apart. */
export function expectType<Expected>() {
  return <Actual>(_value: () => Actual, ..._same: IsEqual<Expected, Actual> extends true ? [] : [never]) =>
    undefined;
}
