import type { ExecutionContext } from 'ava';

/** The process warnings of that code from here to the end of the test, as they come. */
export function warningsOf(t: ExecutionContext, code: string): string[] {
  const messages: string[] = [];
  const listener = (warning: Error) => {
    if ((warning as NodeJS.ErrnoException).code === code) messages.push(warning.message);
  };
  process.on('warning', listener);
  t.teardown(() => process.off('warning', listener));
  return messages;
}
