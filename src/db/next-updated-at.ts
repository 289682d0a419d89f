import { max } from "drizzle-orm";
import type { Reader } from "./database.ts";
import type { Tables } from "./define-schema.ts";

/** The change was made to a version that is not the latest any more: nothing is written. */
export interface Overtaken<View> {
  readonly kind: "overtaken";
  /** As it is now. */
  readonly current: View;
}

/**
 * The `updated_at` of a change to a pool, bot or offer: later than that of every change before it, even within one
 * millisecond or when this machine's clock is behind another's. By it the console tells that a form was opened before a
 * change, and the outbox which of a pixel's tokens was set last.
 */
export async function nextUpdatedAt(reader: Reader, tables: Tables, now: Date): Promise<Date> {
  const { pools, bots, offers } = tables;
  const newest = await Promise.all([
    reader.select({ at: max(pools.updatedAt) }).from(pools),
    reader.select({ at: max(bots.updatedAt) }).from(bots),
    reader.select({ at: max(offers.updatedAt) }).from(offers),
  ]);
  const latestMs = newest.flat().map(({ at }) => at?.getTime() ?? 0);
  return new Date(Math.max(now.getTime(), ...latestMs.map((ms) => ms + 1)));
}
