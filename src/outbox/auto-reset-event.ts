/** Wakes the one who waits; one that is set while nobody waits stays so until somebody does, however often it was set. */
interface AutoResetEvent {
  set(): void;
  /** Resolves when it is set, at once where it is, and resets it. */
  wait(): Promise<void>;
  readonly isSet: boolean;
}

/** Makes an event for one who waits at a time. */
export function createAutoResetEvent(): AutoResetEvent {
  let next = Promise.withResolvers<void>();
  let isSet = false;
  return {
    set() {
      isSet = true;
      next.resolve();
    },
    async wait() {
      await next.promise;
      next = Promise.withResolvers();
      isSet = false;
    },
    get isSet() {
      return isSet;
    },
  };
}
