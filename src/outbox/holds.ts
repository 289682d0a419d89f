import { and, eq } from "drizzle-orm";
import type { Database, Reader } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import type { RouteKey } from "./routes.ts";

/** Why a route's rows do not go, ready for JSON. */
export interface Hold {
  readonly state: "paused" | "throttled" | "resting";
  /** Since when, and the other side's own words, where it is paused. */
  readonly paused_at: string | null;
  readonly paused_reason: string | null;
  /** When it goes on by itself, where it does. */
  readonly until: string | null;
  /** Requests that failed in a row. */
  readonly failures: number;
}

/** What holds a route up at `nowMs`; null: nothing does. */
export async function findHold(
  reader: Reader,
  { tables: { outboxRoutes } }: Pick<Database, "tables">,
  { destination, route }: RouteKey,
  nowMs: number,
): Promise<Hold | null> {
  const [row] = await reader
    .select()
    .from(outboxRoutes)
    .where(and(eq(outboxRoutes.destination, destination), eq(outboxRoutes.route, route)));
  return row === undefined ? null : holdOf(row, nowMs);
}

function holdOf(row: Tables["outboxRoutes"]["$inferSelect"], nowMs: number): Hold | null {
  const hold = (state: Hold["state"], until: Date | null): Hold => ({
    state,
    paused_at: row.pausedAt?.toISOString() ?? null,
    paused_reason: row.pausedReason,
    until: until?.toISOString() ?? null,
    failures: row.failures,
  });
  const isAhead = (at: Date | null) => at !== null && at.getTime() > nowMs;
  if (row.pausedAt !== null) return hold("paused", null);
  if (isAhead(row.throttledUntil)) return hold("throttled", row.throttledUntil);
  return isAhead(row.openUntil) ? hold("resting", row.openUntil) : null;
}
