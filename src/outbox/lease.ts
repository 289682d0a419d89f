import { sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { Destination } from "../db/define-schema.ts";
import type { ClaimedRow } from "./destination.ts";

/** How long a dispatcher may hold rows without word; then another one takes them over. */
export const LEASE_MS = 60_000;

const SWEEP_BATCH = 5_000;

/**
 * Takes up to `limit` due rows of a route under the lease `leaseId`. Rows that another dispatcher is taking are
 * passed over, so any number of them work side by side.
 */
export async function claim(
  db: Database,
  at: { destination: Destination; route: string },
  leaseId: string,
  limit: number,
): Promise<ClaimedRow[]> {
  const { dialect } = db;
  return db.transaction(async (tx) => {
    const rows = await tx.rows<{ [K in keyof ClaimedRow]: ClaimedRow[K] }>(sql`
      update outbox
      set status = 'sending', lease_id = ${leaseId}, lease_until = ${dialect.plusMs(dialect.now, LEASE_MS)},
          attempts = attempts + 1
      where id in (
        select id from outbox
        where status = 'pending' and destination = ${at.destination} and route = ${at.route}
          and available_at <= ${dialect.now}
        order by available_at, id limit ${limit} ${dialect.skipLocked}
      )
      returning id, event_name as "eventName", event_id as "eventId", ${dialect.jsonText(sql`payload`)} as payload,
        attempts, ${dialect.epochMs(sql`created_at`)} as "createdAtMs", pool_id as "poolId",
        tracking_token as "trackingToken", payment_id as "paymentId"`);
    // `returning` promises no order, and Postgres writes 64-bit numbers as text.
    return rows
      .map((row) => ({ ...row, id: Number(row.id), poolId: row.poolId === null ? null : Number(row.poolId) }))
      .sort((a, b) => a.id - b.id);
  });
}

/** Keeps rows for another lease's length; false where the lease is lost and the rows are somebody else's. */
export async function extendLease(db: Database, leaseId: string, ids: readonly number[]): Promise<boolean> {
  const { dialect } = db;
  const kept = await db.transaction((tx) =>
    tx.rows(sql`
      update outbox set lease_until = ${dialect.plusMs(dialect.now, LEASE_MS)}
      where ${dialect.anyId(sql`id`, ids)} and lease_id = ${leaseId} and status = 'sending' returning id`),
  );
  return kept.length === ids.length;
}

/** Gives rows whose lease ran out, because their dispatcher died, back to everybody. Answers how many. */
export async function reclaimExpired(db: Database): Promise<number> {
  const { dialect } = db;
  const rows = await db.transaction((tx) =>
    tx.rows(sql`
      update outbox set status = 'pending', lease_id = null, lease_until = null
      where id in (
        select id from outbox where status = 'sending' and lease_until < ${dialect.now}
        order by lease_until limit ${SWEEP_BATCH} ${dialect.skipLocked}
      ) returning id`),
  );
  return rows.length;
}

/** How rows leave a lease. */
export type Settlement =
  | { readonly kind: "delivered"; readonly fbtraceId: string | null; readonly note: string | null }
  | { readonly kind: "dead" | "expired"; readonly fbtraceId: string | null; readonly reason: string }
  /** Back to waiting; `countsAttempt` false where nothing was wrong with the rows or the other side. */
  | {
      readonly kind: "pending";
      readonly afterMs: number;
      readonly countsAttempt: boolean;
      readonly reason: string | null;
    };

/** Settles rows that are still under the lease; others' rows are left alone. Answers the ids that it settled. */
export async function settle(
  tx: Tx,
  db: Database,
  leaseId: string,
  ids: readonly number[],
  settlement: Settlement,
): Promise<number[]> {
  const { dialect } = db;
  const set = () => {
    switch (settlement.kind) {
      case "delivered":
        return sql`status = 'delivered', delivered_at = ${dialect.now}, fbtrace_id = ${settlement.fbtraceId},
          last_error = ${settlement.note}`;
      case "dead":
      case "expired":
        return sql`status = ${settlement.kind}, fbtrace_id = ${settlement.fbtraceId}, last_error = ${settlement.reason}`;
      case "pending":
        return sql`status = 'pending', available_at = ${dialect.plusMs(dialect.now, settlement.afterMs)},
          attempts = attempts - ${settlement.countsAttempt ? 0 : 1},
          last_error = coalesce(${settlement.reason}, last_error)`;
    }
  };
  const rows = await tx.rows<{ id: number | string }>(sql`
    update outbox set ${set()}, lease_id = null, lease_until = null
    where ${dialect.anyId(sql`id`, ids)} and lease_id = ${leaseId} and status = 'sending' returning id`);
  return rows.map(({ id }) => Number(id));
}
