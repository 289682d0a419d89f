/**
 * Resolves to the name of the first signal that asks the process to end. From the call on a signal does nothing else, so
 * whoever calls sees to the end.
 */
export function askedToStop(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, resolve);
  });
}
