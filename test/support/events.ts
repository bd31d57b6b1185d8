import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ExecutionContext } from 'ava';

/** What is published on the channel from here to the end of the test, as it comes. */
export function eventsOf<Event>(t: ExecutionContext, channel: string): Event[] {
  const events: Event[] = [];
  const listener = (event: unknown) => {
    events.push(event as Event);
  };
  subscribe(channel, listener);
  t.teardown(() => unsubscribe(channel, listener));
  return events;
}
