/** A piece of a long list; `next_cursor` asks for the next one, null where this was the last. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

/** The piece that is asked for. `cursor` is the `next_cursor` of the one before, as a number. */
export interface AskedPage {
  readonly cursor?: number | undefined;
  readonly limit: number;
}

export const PAGE_SIZE = 50;
export const LARGEST_PAGE = 200;

/** Cuts items, of which one more than `limit` was asked for, into a page. `keyOf` is what the list is ordered by. */
export function pageOf<T>(items: readonly T[], limit: number, keyOf: (item: T) => number): Page<T> {
  const shown = items.slice(0, limit);
  const last = shown.at(-1);
  const hasMore = items.length > limit && last !== undefined;
  return { items: shown, next_cursor: hasMore ? String(keyOf(last)) : null };
}
