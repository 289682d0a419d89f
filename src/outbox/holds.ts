import { and, eq, inArray } from "drizzle-orm";
import type { Database, Reader } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import type { HoldState } from "../db/vocabulary.ts";
import { LONGEST_OPEN_MS } from "./back-off.ts";
import { accountOf, type RouteKey } from "./routes.ts";

/** Why a route's rows do not go, ready for JSON. */
interface Hold {
  readonly state: HoldState;
  /** Since when, and the other side's own words, where it is paused. */
  readonly paused_at: string | null;
  readonly paused_reason: string | null;
  /** When it goes on by itself, where it does. */
  readonly until: string | null;
  /** Requests that failed in a row. */
  readonly failures: number;
}

/** What holds a route up at `nowMs`, be it that its pixel or bot is to slow down; null: nothing does. */
export async function findHold(
  reader: Reader,
  { tables: { outboxRoutes } }: Pick<Database, "tables">,
  key: RouteKey,
  nowMs: number,
): Promise<Hold | null> {
  const account = accountOf(key).route;
  const rows = await reader
    .select()
    .from(outboxRoutes)
    .where(
      and(eq(outboxRoutes.destination, key.destination), inArray(outboxRoutes.route, [key.route, account])),
    );
  const rowOf = (route: string) => rows.find((row) => row.route === route);
  return holdOf(rowOf(key.route), rowOf(account)?.throttledUntil ?? null, nowMs);
}

export type RouteRow = Tables["outboxRoutes"]["$inferSelect"];

/** The same of what was read: the route's row, and until when it or its pixel or bot is to slow down. */
export function holdOf(row: RouteRow | undefined, throttledUntil: Date | null, nowMs: number): Hold | null {
  const hold = (state: HoldState, until: Date | null): Hold => ({
    state,
    paused_at: row?.pausedAt?.toISOString() ?? null,
    paused_reason: row?.pausedReason ?? null,
    until: until?.toISOString() ?? null,
    failures: row?.failures ?? 0,
  });
  const isAhead = (at: Date | null) => at !== null && at.getTime() > nowMs;
  if (row?.pausedAt) return hold("paused", null);
  if (isAhead(throttledUntil)) return hold("throttled", throttledUntil);
  const openUntil = row?.openUntil ?? null;
  const isOver = openUntil !== null && openUntil.getTime() > nowMs + LONGEST_OPEN_MS;
  return isAhead(openUntil) && !isOver ? hold("resting", openUntil) : null;
}
