/** Never run: it only has to compile, and each line with `@ts-expect-error` must not. */
import {
  allocate,
  cancel,
  context,
  get,
  getSync,
  map,
  put,
  register,
  remote,
  stats,
  wait,
  type ObjectRef,
  type ObjectStream,
} from 'mobula';
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
const divide = remote((a: number, b: number) => [Math.floor(a / b), a % b, 'rest'] as const);
const divideIntoTwo = remote((a: number, b: number): [number, string] => [a / b, 'rest'], {
  returns: 2,
});
const square = remote((a: number) => a * a);
const divideInto = remote((a: number): [number, number] => [a, a], { returns: 2 });
const divideLater = remote(async (a: number): Promise<[number, string]> => {
  return Promise.resolve([a, 'rest']);
});
const list = remote((length: number) => new Array<number>(length));
const count = remote(function* (end: number) {
  for (let n = 0; n < end; n++) yield n;
});
const countLater = remote(async function* (end: number) {
  for (let n = 0; n < end; n++) yield await Promise.resolve(String(n));
});
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

  // Several results: a tuple of refs, by the options of the call or of the function.
  expectType<[ObjectRef<number>, ObjectRef<number>, ObjectRef<'rest'>]>()(() =>
    divide.options({ returns: 3 }).remote(7, 2),
  ),
  expectType<[ObjectRef<number>, ObjectRef<string>]>()(() => divideIntoTwo.remote(7, number)),
  expectType<[ObjectRef<number>, ObjectRef<string>]>()(() =>
    divideIntoTwo.options({ retries: 1 }).remote(7, 2),
  ),
  expectType<[ObjectRef<number>, ObjectRef<string>]>()(() =>
    divideLater.options({ returns: 2 }).remote(7),
  ),
  expectType<ObjectRef<number>[]>()(() => list.options({ returns: 5 }).remote(5)),
  expectType<ObjectRef<[number, string]>>()(() =>
    divideIntoTwo.options({ returns: 1 }).remote(7, 2),
  ),
  expectType<ObjectRef<[number, string]>>()(() => divideLater.remote(7)),
  // @ts-expect-error: there is no third result
  divideIntoTwo.remote(7, 2)[2],

  // Generators give streams of what they yield.
  expectType<ObjectStream<number>>()(() => count.remote(number)),
  expectType<ObjectStream<string>>()(() => countLater.remote(3)),
  expectType<ObjectStream<number>>()(() => count.options({ backpressure: 2 }).remote(3)),
  expectType<Promise<IteratorResult<ObjectRef<number>, undefined>>>()(() => count.remote(3).next()),
  // @ts-expect-error: a wrong type
  count.remote('3'),

  // A map gives the values of a function of one argument.
  expectType<AsyncIterableIterator<number, undefined>>()(() => map(square, [1, number])),
  expectType<AsyncIterableIterator<number, undefined>>()(() => map(square, count.remote(3))),
  expectType<AsyncIterableIterator<(string | number | undefined)[], undefined>>()(() =>
    map(describe.options({ retries: 0 }), [point, { x: 1 }], { concurrency: 2, ordered: false }),
  ),
  expectType<AsyncIterableIterator<string, undefined>>()(() => map(join, new Set(['a']))),
  // @ts-expect-error: items of a wrong type
  map(square, ['1']),
  // @ts-expect-error: refs to a wrong type
  map(square, [text]),
  // @ts-expect-error: two arguments
  map(add, [1]),
  // @ts-expect-error: a generator
  map(count, [1]),
  // @ts-expect-error: several results
  map(divideInto, [1]),
  // @ts-expect-error: no remote function
  map((a: number) => a, [1]),
  // @ts-expect-error: an option that does not exist
  map(square, [1], { order: true }),

  // Errors that are retried are named by their classes.
  add.options({ retryErrors: true, retryDelay: '1s' }),
  add.options({ retryErrors: [RangeError, TypeError] as const }),
  // @ts-expect-error: an error, not its class
  add.options({ retryErrors: [new Error()] }),
  // @ts-expect-error: a class outside a list
  add.options({ retryErrors: RangeError }),
  // @ts-expect-error: a class of something else
  add.options({ retryErrors: [Map] }),

  // Refs and streams can be cancelled.
  expectType<Promise<boolean>>()(() => cancel(number)),
  cancel(count.remote(3), { force: true, recursive: false }),
  // @ts-expect-error: neither a ref nor a stream
  cancel(7),
  // @ts-expect-error: an array of refs
  cancel([number]),

  // A generic function keeps its generics where it is called here and now.
  expectType<7>()(() => generic(7 as const)),
];

class Amount {
  readonly cents: bigint;
  constructor(cents: bigint) {
    this.cents = cents;
  }
}

export const blocking = [
  expectType<number>()(() => getSync(number)),
  expectType<[number, string, Point]>()(() => getSync([number, text, point], { timeout: '1s' })),
  expectType<number[]>()(() => getSync([number] as ObjectRef<number>[])),
  // @ts-expect-error: not a ref
  () => getSync(7),
  // @ts-expect-error: nothing aborts a wait that blocks
  () => getSync(number, { signal: new AbortController().signal }),
];

export const serializers = [
  () => register(Amount, { name: 'Amount', encode: (a) => a.cents, decode: (c) => new Amount(c) }),
  () =>
    register(Amount, {
      name: 'Amount',
      // @ts-expect-error: an instance has no such property
      encode: ({ euros }) => euros as bigint,
      decode: (cents: bigint) => new Amount(cents),
    }),
  // @ts-expect-error: what is decoded is no instance
  () => register(Amount, { name: 'Amount', encode: ({ cents }) => cents, decode: () => 'cents' }),
  // @ts-expect-error: the name is missing
  () => register(Amount, { encode: ({ cents }) => cents, decode: (c: bigint) => new Amount(c) }),
];

export const places = [
  expectType<string>()(() => context().jobId),
  expectType<string | undefined>()(() => context().taskId),
  expectType<number>()(() => context().attempt),
  expectType<AbortSignal>()(() => context().signal),
  expectType<Readonly<Record<string, number>>>()(() => context().resources),
  expectType<boolean>()(() => context().isDriver),
  expectType<number>()(() => stats().tasks.retried + stats().actors.alive + stats().store.objects),
  () => {
    // @ts-expect-error: to be read only
    context().attempt = 1;
  },
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
