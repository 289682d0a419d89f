import { eq, max, type SQL } from "drizzle-orm";
import type { Reader } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";

/** What comes of a change that was made on a version which is not the latest any more: nothing is written. */
export interface Overtaken<View> {
  readonly kind: "overtaken";
  /** As it is now. */
  readonly current: View;
}

/** That a row is of the version that its editor saw; any, where nobody says which. */
export function isSeenVersion(
  { updatedAt }: Tables["bots"] | Tables["offers"],
  seen: string | undefined,
): SQL | undefined {
  return seen === undefined ? undefined : eq(updatedAt, new Date(seen));
}

/**
 * When a pool, bot or offer changed: later than every change before it, though both fall into one millisecond or this
 * machine's clock is behind another's. By it the console tells that a page was opened before a change, and the outbox
 * which of a pixel's tokens was set last.
 */
export async function nextStamp(reader: Reader, tables: Tables, now: Date): Promise<Date> {
  const { pools, bots, offers } = tables;
  const newest = await Promise.all([
    reader.select({ at: max(pools.updatedAt) }).from(pools),
    reader.select({ at: max(bots.updatedAt) }).from(bots),
    reader.select({ at: max(offers.updatedAt) }).from(offers),
  ]);
  const latestMs = newest.flat().map(({ at }) => at?.getTime() ?? 0);
  return new Date(Math.max(now.getTime(), ...latestMs.map((ms) => ms + 1)));
}
