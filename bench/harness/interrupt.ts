/**
 * Aborted by the first signal that should end the program, which then ends when it has cleaned up.
 * Later ones change nothing: on Ctrl-C, npm sends one more.
 */
export function stopOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => controller.abort(new Error(`stopped by ${signal}`)));
  }
  return controller.signal;
}
