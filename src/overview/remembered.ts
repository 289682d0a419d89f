/** Custom spans are many; more than this are never worth keeping. */
const MOST_KEPT = 50;

/** Answers kept by name for a short while; several who ask at once wait for one answer. */
export interface Remembered<T> {
  (name: string, read: () => Promise<T>): Promise<T>;
  /** The next who asks gets it fresh. */
  forget(): void;
}

/** A failure is not kept. Time is this process's own. */
export function createRemembered<T>(ms: number, uptimeMs = () => performance.now()): Remembered<T> {
  const kept = new Map<string, { readonly answer: Promise<T>; readonly untilMs: number }>();
  function remembered(name: string, read: () => Promise<T>): Promise<T> {
    const had = kept.get(name);
    if (had && uptimeMs() < had.untilMs) return had.answer;
    if (kept.size >= MOST_KEPT) kept.clear();
    const answer = read();
    kept.set(name, { answer, untilMs: uptimeMs() + ms });
    answer.catch(() => kept.delete(name));
    return answer;
  }
  return Object.assign(remembered, { forget: () => kept.clear() });
}
