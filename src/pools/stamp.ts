import { max } from "drizzle-orm";
import type { Reader } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";

/**
 * When a pool or bot changed: later than every change before it, even where this machine's clock is behind
 * another's. Caches notice changes by the newest stamp.
 */
export async function nextStamp(reader: Reader, tables: Tables, now: Date): Promise<Date> {
  const { pools, bots } = tables;
  const newest = await Promise.all([
    reader.select({ at: max(pools.updatedAt) }).from(pools),
    reader.select({ at: max(bots.updatedAt) }).from(bots),
  ]);
  const latestMs = newest.flat().map(({ at }) => at?.getTime() ?? 0);
  return new Date(Math.max(now.getTime(), ...latestMs.map((ms) => ms + 1)));
}
