import { type SQL, sql } from "drizzle-orm";
import type { Database, RawNumber } from "../db/database.ts";
import { type Destination, OUTBOX_STATUSES, type OutboxStatus } from "../db/vocabulary.ts";
import { hasStatus } from "./filter.ts";
import { idWindows, isFewWaiting } from "./id-windows.ts";

/** Events of one kind, on one route, in one state. Times are Unix milliseconds. */
export interface Tally {
  readonly destination: Destination;
  readonly route: string;
  readonly poolId: number | null;
  readonly eventName: string;
  readonly status: OutboxStatus;
  readonly events: number;
  /** Of them, those whose time to leave has come. */
  readonly due: number;
  readonly oldestMs: number;
  readonly newestMs: number;
  /** When the first of them may leave. */
  readonly nextMs: number;
}

/**
 * Counts the outbox, each event once. All of it, or more than a few that wait, is read piece by piece with a breath in
 * between, for on SQLite visitors wait for a whole statement; so it is the state of no single moment.
 *
 * @param delivered without what was delivered, only the indexes of the rest are read while few wait
 */
export async function tallyOutbox(db: Database, { delivered }: { delivered: boolean }): Promise<Tally[]> {
  const { outboxProgress } = db.tables;
  if (!delivered && (await isFewWaiting(db))) {
    const undelivered = OUTBOX_STATUSES.filter((status) => status !== "delivered");
    const counts = undelivered.map((status) => tallyOf(db, hasStatus(outboxProgress, status)));
    return (await db.rows<RawTally>(sql.join(counts, sql` union all `))).map(withNumbers);
  }
  const tallies: Tally[] = [];
  const isCounted = delivered ? sql`` : sql`and status <> 'delivered'`;
  for await (const { from, to } of idWindows(db, {}, { direction: "up" })) {
    const piece = await db.rows<RawTally>(tallyOf(db, sql`id >= ${from} and id < ${to} ${isCounted}`));
    tallies.push(...piece.map(withNumbers));
  }
  const kindOf = ({ destination, route, poolId, eventName, status }: Tally) =>
    JSON.stringify([destination, route, poolId, eventName, status]);
  return together(tallies, kindOf);
}

type RawTally = Omit<Tally, Counted> & { readonly [K in Counted]: RawNumber | null };
type Counted = "poolId" | "events" | "due" | "oldestMs" | "newestMs" | "nextMs";

function tallyOf({ dialect: { epochMs, now } }: Database, condition: SQL): SQL {
  return sql`
    select destination, route, pool_id as "poolId", event_name as "eventName", status, count(*) as events,
      sum(case when available_at <= ${now} then 1 else 0 end) as due, ${epochMs(sql`min(created_at)`)} as "oldestMs",
      ${epochMs(sql`max(created_at)`)} as "newestMs", ${epochMs(sql`min(available_at)`)} as "nextMs"
    from outbox_progress where ${condition} group by destination, route, pool_id, event_name, status`;
}

function withNumbers(row: RawTally): Tally {
  return {
    ...row,
    poolId: row.poolId === null ? null : Number(row.poolId),
    events: Number(row.events),
    due: Number(row.due),
    oldestMs: Number(row.oldestMs),
    newestMs: Number(row.newestMs),
    nextMs: Number(row.nextMs),
  };
}

/** One for all of the same name, with the first one's names. */
export function together(tallies: readonly Tally[], nameOf: (tally: Tally) => string): Tally[] {
  const byName = new Map<string, Tally>();
  for (const tally of tallies) {
    const name = nameOf(tally);
    const before = byName.get(name);
    byName.set(name, before ? added(before, tally) : tally);
  }
  return [...byName.values()];
}

function added(a: Tally, b: Tally): Tally {
  return {
    ...a,
    events: a.events + b.events,
    due: a.due + b.due,
    oldestMs: Math.min(a.oldestMs, b.oldestMs),
    newestMs: Math.max(a.newestMs, b.newestMs),
    nextMs: Math.min(a.nextMs, b.nextMs),
  };
}
