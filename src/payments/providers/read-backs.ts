/** What was asked of a provider a short while ago, so that it is not asked again too soon. */
export interface ReadBacks<T> {
  /**
   * The value of a key: asked for now, or, where it was asked for within the interval, what it was then. Callers at the
   * same time share one question. A question that failed does not count.
   */
  read(key: string, ask: () => Promise<T>): Promise<ReadBack<T>>;
}

interface ReadBack<T> {
  readonly value: T;
  /** Whether it was asked for after this call came in. */
  readonly isFresh: boolean;
  /** When it may be asked for again. */
  readonly nextInMs: number;
}

/** More keys than this are never remembered; the oldest go first. */
const MOST_KEYS = 10_000;

/** Remembers what was asked for `everyMs`, in this process alone. */
export function createReadBacks<T>({
  everyMs,
  now,
}: {
  readonly everyMs: number;
  readonly now: () => Date;
}): ReadBacks<T> {
  const asked = new Map<string, { readonly atMs: number; readonly answer: Promise<T> }>();

  function forgetOld(nowMs: number): void {
    // A map keeps its keys in the order they were put in, so the old ones stand first.
    for (const [key, { atMs }] of asked) {
      const ageMs = nowMs - atMs;
      // A negative age is a clock that was set back, by who knows how much.
      if (ageMs >= 0 && ageMs < everyMs && asked.size < MOST_KEYS) return;
      asked.delete(key);
    }
  }

  return {
    async read(key, ask) {
      const nowMs = now().getTime();
      forgetOld(nowMs);
      const earlier = asked.get(key);
      if (earlier) {
        return { value: await earlier.answer, isFresh: false, nextInMs: earlier.atMs + everyMs - nowMs };
      }
      const answer = ask();
      asked.set(key, { atMs: nowMs, answer });
      try {
        return { value: await answer, isFresh: true, nextInMs: everyMs };
      } catch (error) {
        asked.delete(key);
        throw error;
      }
    },
  };
}
