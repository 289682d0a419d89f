/** Whoever asks may choose the name, such as a span of time; more answers than this are not worth keeping. */
const MOST_KEPT = 50;

/** An answer may never come, where a connection died without a word: after so long the question is asked anew. */
const TIMEOUT_MS = 30_000;

/** Answers kept by name for a short while; several who ask at once wait for one answer. */
interface Cache<T> {
  (name: string, read: () => Promise<T>): Promise<T>;
  /** The next who asks gets it fresh. */
  forget(): void;
}

/** A cache of answers for `ttlMs` milliseconds, and of no failure. */
export function createCache<T>(ttlMs: number, uptimeMs = () => performance.now()): Cache<T> {
  const kept = new Map<string, { readonly answer: Promise<T>; untilMs: number }>();
  function cached(name: string, read: () => Promise<T>): Promise<T> {
    const had = kept.get(name);
    if (had && uptimeMs() < had.untilMs) return had.answer;
    if (kept.size >= MOST_KEPT) kept.clear();
    // Its time begins when it is there: a slow answer is not asked for again before it comes, or is given up.
    const asked = { answer: read(), untilMs: uptimeMs() + TIMEOUT_MS };
    kept.set(name, asked);
    asked.answer.then(
      () => {
        asked.untilMs = uptimeMs() + ttlMs;
      },
      () => {
        if (kept.get(name) === asked) kept.delete(name);
      },
    );
    return asked.answer;
  }
  return Object.assign(cached, { forget: () => kept.clear() });
}
