const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/**
 * A signal that asks the process to end ends it at once, until somebody sees to that by `askedToStop`. So it would by
 * itself, were the process not a container's first one, which the kernel gives no signal that it does not listen to.
 */
export function endWhenAsked(): void {
  for (const signal of SIGNALS) process.on(signal, end);
}

/**
 * Resolves to the name of the first signal that asks the process to end. From the call on a signal does nothing else, so
 * whoever calls sees to the end.
 */
export function askedToStop(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) process.on(signal, resolve).off(signal, end);
  });
}

function end(): never {
  process.exit(0);
}
