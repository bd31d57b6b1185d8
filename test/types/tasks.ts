/** Never run: it only has to compile, and each line with `@ts-expect-error` must not. */
import { allocate, get, put, remote, wait, type ObjectRef } from 'mobula';
import { expectType } from './expect.js';

interface Point {
  x: number;
  y?: string;
}

const add = remote((a: number, b: number) => a + b);
const describe = remote(async (point: Point, label?: string) => Promise.resolve([label, point.x]));
const join = remote((separator: string, ...parts: string[]) => parts.join(separator));
const nothing = remote(() => undefined);
const nested = remote((refs: ObjectRef<number>[]) => refs.length);
const inner = remote(async () => Promise.resolve(put(1)));
const maybe = remote((value: number | undefined) => value);
const generic = remote(<T>(value: T) => value);
const never = remote((): never => {
  throw new Error();
});

declare const number: ObjectRef<number>;
declare const text: ObjectRef<string>;
declare const point: ObjectRef<Point>;

export const tasks = [
  // A remote function is the function itself when called, and gives a ref when submitted.
  expectType<number>()(() => add(1, 2)),
  expectType<ObjectRef<number>>()(() => add.remote(1, 2)),
  expectType<ObjectRef<number>>()(() => add.options({ retries: 1 }).remote(1, 2)),
  expectType<ObjectRef<undefined>>()(() => nothing.remote()),
  expectType<ObjectRef<never>>()(() => never.remote()),
  expectType<ObjectRef<number | undefined>>()(() => maybe.remote(undefined)),

  // Promises, and refs in them, are awaited.
  expectType<ObjectRef<(string | number | undefined)[]>>()(() => describe.remote({ x: 1 })),
  expectType<ObjectRef<number>>()(() => inner.remote()),

  // Every argument may be a ref of its type.
  add.remote(number, 2),
  add.remote(1, number),
  add.remote(add.remote(1, 2), add.remote(number, number)),
  describe.remote(point, text),
  describe.remote(point),
  join.remote(text, 'a', text),
  nested.remote([number, number]),
  maybe.remote(number),

  // @ts-expect-error: too few arguments
  add.remote(1),
  // @ts-expect-error: too many arguments
  add.remote(1, 2, 3),
  // @ts-expect-error: a wrong type
  add.remote(1, '2'),
  // @ts-expect-error: a ref to a wrong type
  add.remote(1, text),
  // @ts-expect-error: nested refs are not resolved
  nested.remote([1, 2]),
  // @ts-expect-error: a promise is no argument
  add.remote(1, Promise.resolve(2)),
  // @ts-expect-error: an option that does not exist
  add.options({ retry: 1 }),
  // @ts-expect-error: a wrong value of an option
  add.options({ isolation: 'fiber' }),

  // A generic function keeps its generics where it is called here and now.
  expectType<7>()(() => generic(7 as const)),
];

export async function values(): Promise<unknown[]> {
  const refs = [number, text] as const;
  const many: ObjectRef<number>[] = [];
  const { ready, pending } = await wait(many, { count: 1, timeout: '5s' });
  const taken = [
    await number,
    await get(number),
    await get(refs),
    await get([number, point, text]),
    await get(many),
    await get([]),
  ] as const;
  return [
    expectType<
      readonly [number, number, [number, string], [number, Point, string], number[], []]
    >()(() => taken),
    expectType<ObjectRef<number>[]>()(() => ready),
    expectType<ObjectRef<number>[]>()(() => pending),
    expectType<ObjectRef<Point>>()(() => put<Point>({ x: 1 })),
    expectType<Promise<string>>()(() => number.then(() => 'a')),
    expectType<Promise<number | string>>()(() => number.catch(() => 'a')),
    expectType<Promise<number>>()(() => number.finally(() => 'a')),
    expectType<BigInt64Array>()(() => allocate(BigInt64Array, 1)),
    expectType<Float64Array>()(() => allocate(Float64Array, 1)),
    // @ts-expect-error: not a ref
    get(7),
    // @ts-expect-error: not refs
    get([7]), // eslint-disable-line @typescript-eslint/no-unsafe-class-instance-assignment
    // @ts-expect-error: not a typed array
    allocate(Array, 7),
  ];
}
