import test, { type ExecutionContext } from 'ava';
import type { ActorOptions } from 'mobula';

export type ActorIsolation = NonNullable<ActorOptions['isolation']>;
const isolations: readonly ActorIsolation[] = ['shared', 'thread', 'process'];

type Body = (t: ExecutionContext, isolation: ActorIsolation) => void | Promise<void>;

/** Declares a test for each place that an actor can live in. */
export function testInEach(title: string, body: Body): void {
  for (const isolation of isolations) {
    test(`${title} [${isolation}]`, (t) => body(t, isolation));
  }
}

/**
 * As {@link testInEach}, for tests that end shared hosts, or count what there is: one at a time.
 */
export function testOneByOneInEach(title: string, body: Body): void {
  for (const isolation of isolations) {
    test.serial(`${title} [${isolation}]`, (t) => body(t, isolation));
  }
}
