import test, { type ExecutionContext } from 'ava';
import type { ActorOptions } from 'mobula';

export type ActorIsolation = NonNullable<ActorOptions['isolation']>;
const isolations: readonly ActorIsolation[] = ['shared', 'thread', 'process'];

/** Declares a test for each place that an actor can live in. */
export function testInEach(
  title: string,
  body: (t: ExecutionContext, isolation: ActorIsolation) => void | Promise<void>,
): void {
  for (const isolation of isolations) {
    test(`${title} [${isolation}]`, (t) => body(t, isolation));
  }
}
