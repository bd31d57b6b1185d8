import type { ObjectRef, ObjectStream } from 'mobula';

/**
 * The stream itself, for loops. TypeScript gives a ref in a `for await` over a stream the type of a
 * ref the first time, that of its value from then on, in the order in which it looks at files.
 */
export function refsIn(stream: ObjectStream): AsyncIterable<unknown> {
  return stream;
}

/** All refs of a stream. */
export async function refsOf<T>(stream: ObjectStream<T>): Promise<ObjectRef<T>[]> {
  const refs: ObjectRef<T>[] = [];
  for (;;) {
    const { done, value } = await stream.next();
    if (done === true) return refs;
    refs.push(value);
  }
}
