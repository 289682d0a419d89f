/** Wakes the one who waits; a ring that nobody waited for is kept, and several are one. */
interface Bell {
  ring(): void;
  /** Resolves at the next ring, or at once where it rang since the last wait. */
  wait(): Promise<void>;
  /** Whether it rang since the last wait. */
  readonly hasRung: boolean;
}

/** Makes a bell for one who waits at a time. */
export function createBell(): Bell {
  let next = Promise.withResolvers<void>();
  let hasRung = false;
  return {
    ring() {
      hasRung = true;
      next.resolve();
    },
    async wait() {
      await next.promise;
      next = Promise.withResolvers();
      hasRung = false;
    },
    get hasRung() {
      return hasRung;
    },
  };
}
