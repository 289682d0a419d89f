/** The newest `capacity` items, in order; `dropped` counts the older ones that had to go. */
export interface BoundedList<T> {
  readonly capacity: number;
  push(item: T): void;
  items(): readonly T[];
  newest(count: number): readonly T[];
  dropped(): number;
  clear(): void;
}

/** Makes a list that never holds more than `capacity` items; pushing is O(1) amortised. */
export function boundedList<T>(capacity: number): BoundedList<T> {
  // Trimming a slack of a quarter at a time keeps `push` cheap on the benchmark's hot path.
  const slack = Math.max(1, Math.floor(capacity / 4));
  let kept: T[] = [];
  let pushed = 0;
  const newest = (count: number) => kept.slice(Math.max(0, kept.length - Math.min(count, capacity)));
  return {
    capacity,
    push(item) {
      kept.push(item);
      pushed += 1;
      if (kept.length >= capacity + slack) kept = newest(capacity);
    },
    items: () => newest(capacity),
    newest,
    dropped: () => Math.max(0, pushed - capacity),
    clear() {
      kept = [];
      pushed = 0;
    },
  };
}

/** A map that remembers at least the newest `capacity / 2` and at most `capacity` keys. */
export interface RecentMap<V> {
  readonly capacity: number;
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  size(): number;
  clear(): void;
}

/**
 * Makes a {@link RecentMap}. Two generations instead of one least-recently-used list: forgetting is dropping
 * a whole map, so a million keys cost neither a scan nor tombstones.
 */
export function recentMap<V>(capacity: number): RecentMap<V> {
  const generation = Math.max(1, Math.floor(capacity / 2));
  let young = new Map<string, V>();
  let old = new Map<string, V>();
  return {
    capacity,
    get: (key) => young.get(key) ?? old.get(key),
    set(key, value) {
      old.delete(key);
      young.set(key, value);
      if (young.size < generation) return;
      old = young;
      young = new Map();
    },
    size: () => young.size + old.size,
    clear() {
      young = new Map();
      old = new Map();
    },
  };
}
