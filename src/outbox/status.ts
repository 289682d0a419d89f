import { sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import type { Destination, OutboxStatus } from "../db/vocabulary.ts";

/** How many events of a kind are in a state. Times are ISO text; `pool` is the slug. */
export interface StatusCount {
  readonly destination: Destination;
  readonly pool: string | null;
  readonly event_name: string;
  readonly status: OutboxStatus;
  readonly events: number;
  readonly oldest_created_at: string;
  readonly newest_created_at: string;
}

/** A route with something waiting or in trouble. */
export interface RouteBacklog {
  readonly destination: Destination;
  readonly route: string;
  readonly state: "ready" | "paused" | "throttled" | "resting";
  readonly waiting: number;
  /** Of those waiting, how many might leave now. */
  readonly due: number;
  readonly sending: number;
  readonly oldest_created_at: string | null;
  readonly oldest_age_seconds: number | null;
  readonly next_at: string | null;
  readonly paused_at: string | null;
  readonly paused_reason: string | null;
  readonly throttled_until: string | null;
  readonly open_until: string | null;
  readonly failures: number;
}

/** What the two databases' drivers give for a number and for a time in a hand-written statement. */
type Raw<T> = { readonly [K in keyof T]: T[K] | string | number };

/**
 * The view `outbox_status`. Counting what was delivered reads the whole table; without it (`delivered: false`) only
 * the indexes of what was not.
 */
export async function outboxStatus(
  db: Database,
  { delivered }: { delivered: boolean },
): Promise<StatusCount[]> {
  const rows = await db.rows<
    Raw<StatusCount> & Pick<StatusCount, "destination" | "pool" | "event_name" | "status">
  >(
    delivered
      ? sql`select * from outbox_status order by destination, pool, event_name, status`
      : sql`select * from outbox_status where status <> 'delivered' order by destination, pool, event_name, status`,
  );
  return rows.map((row) => ({
    ...row,
    events: Number(row.events),
    oldest_created_at: isoTime(row.oldest_created_at),
    newest_created_at: isoTime(row.newest_created_at),
  }));
}

/** The view `outbox_backlog`, the longest waiting first. */
export async function outboxBacklog(db: Database): Promise<RouteBacklog[]> {
  const rows = await db.rows<
    Raw<RouteBacklog> & Pick<RouteBacklog, "destination" | "route" | "state" | "paused_reason">
  >(
    sql`select * from outbox_backlog order by oldest_age_seconds is null, oldest_age_seconds desc, destination, route`,
  );
  return rows.map((row) => ({
    ...row,
    waiting: Number(row.waiting),
    due: Number(row.due),
    sending: Number(row.sending),
    failures: Number(row.failures),
    oldest_age_seconds: row.oldest_age_seconds === null ? null : Number(row.oldest_age_seconds),
    oldest_created_at: isoOrNull(row.oldest_created_at),
    next_at: isoOrNull(row.next_at),
    paused_at: isoOrNull(row.paused_at),
    throttled_until: isoOrNull(row.throttled_until),
    open_until: isoOrNull(row.open_until),
  }));
}

function isoOrNull(value: string | number | null): string | null {
  return value === null ? null : isoTime(value);
}

/** ISO text passes through; Postgres writes `2026-03-01 20:30:00.123-03`, in the session's time zone. */
function isoTime(value: string | number): string {
  const text = String(value)
    .replace(" ", "T")
    .replace(/([+-]\d\d)$/, "$1:00");
  return new Date(text).toISOString();
}
