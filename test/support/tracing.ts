/** What @opentelemetry/api leaves in a thread, with a propagator of W3C trace contexts. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { remote } from 'mobula';

type Carrier = Record<string, string>;

const active = new AsyncLocalStorage<string | undefined>();

Reflect.set(globalThis, Symbol.for('opentelemetry.js.api.1'), {
  context: {
    active: () => active.getStore(),
    with: <T>(context: string | undefined, fn: () => T) => active.run(context, fn),
  },
  propagation: {
    inject(
      context: string | undefined,
      carrier: Carrier,
      setter: { set(...args: unknown[]): void },
    ) {
      if (context !== undefined) setter.set(carrier, 'traceparent', context);
    },
    extract: (
      _context: unknown,
      carrier: Carrier,
      getter: { get(from: Carrier, key: string): string | undefined },
    ) => getter.get(carrier, 'traceparent'),
  },
});

const activeTrace = remote(async () => {
  await Promise.resolve();
  return active.getStore();
});

/** What a task finds as the active trace when it is submitted under this one. */
export async function traced(traceparent: string | undefined): Promise<string | undefined> {
  return await active.run(traceparent, () => activeTrace.remote());
}
