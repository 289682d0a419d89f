import { max } from "drizzle-orm";
import type { Reader } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";

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
