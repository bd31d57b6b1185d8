import type { ObjectRef, ObjectStream } from 'mobula';

/** The refs of a stream. By hand: TypeScript takes it that `for await` awaits each of them. */
export async function refsOf<T>(stream: ObjectStream<T>): Promise<ObjectRef<T>[]> {
  const refs: ObjectRef<T>[] = [];
  for (;;) {
    const { done, value } = await stream.next();
    if (done === true) return refs;
    refs.push(value);
  }
}
