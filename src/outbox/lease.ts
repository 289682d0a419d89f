import { type SQL, sql } from "drizzle-orm";
import type { Database, Reader, Tx } from "../db/database.ts";
import type { Dialect } from "../db/dialect.ts";
import { keptStatement, type Values } from "../db/kept.ts";
import { backOffCeilingMs, HIGHEST_CEILING_AT } from "./back-off.ts";
import { changeRoute, takeProbe } from "./change-route.ts";
import { goingAsProbe, goingTogether } from "./company.ts";
import type { ClaimedRow } from "./destination.ts";
import type { RouteKey } from "./routes.ts";

/**
 * How long rows stay with a dispatcher that gives no sign of life; then another one takes them over. A living one
 * renews the leases of its slow requests every `RENEW_EVERY_MS`.
 */
export const LEASE_MS = 20_000;
/** No lease is as long: one that is to end later was given by a clock that was ahead, and has ended. */
const LONGEST_LEASE_MS = 2 * LEASE_MS;
export const RENEW_EVERY_MS = 5_000;

/** How long a request may take before it is given up. Milliseconds. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** A probe's right outlives its request: time-out, and some for writing the outcome down. */
const PROBE_MS = REQUEST_TIMEOUT_MS + 15_000;

/** Due rows of which a probe takes some. */
const PROBE_CHOICE = 1_000;

/** Lapsed leases taken over in one transaction. */
const SWEEP_BATCH = 5_000;

const value = sql.placeholder;

/** What to take: up to `limit` rows; a probe takes them only where nobody else is probing the route. */
interface Claim extends RouteKey {
  readonly limit: number;
  readonly isProbe?: boolean;
}

/**
 * Takes due rows of a route under the lease `leaseId`, those due longest first, as many as may go together. Rows that
 * another dispatcher is taking are passed over, so any number of them work side by side.
 */
export async function claim(db: Database, leaseId: string, at: Claim): Promise<ClaimedRow[]> {
  return db.transaction(async (tx) => {
    if (at.isProbe && !(await takeProbe(tx, db, at, PROBE_MS))) return [];
    const rows = await claimRows(tx, db, leaseId, at);
    // Whoever sends nothing learns nothing: the right is the next one's.
    if (at.isProbe && rows.length === 0) await changeRoute(tx, db, at, { kind: "unknown" });
    return rows;
  }, "relaxed");
}

/** What of a row its destination wants to know, for a hand-written statement; see `rowsOf`. */
export function rowColumns({ now, epochMs, jsonText }: Dialect): SQL {
  return sql`id, event_name as "eventName", event_id as "eventId", ${jsonText(sql`payload`)} as payload,
      attempts, ${epochMs(sql`created_at`)} as "createdAtMs", ${epochMs(now)} as "claimedAtMs", pool_id as "poolId",
      tracking_token as "trackingToken", payment_id as "paymentId"`;
}

/** The rows that a statement with `rowColumns` found. */
export async function rowsOf(reader: Reader, statement: SQL, values?: Values): Promise<ClaimedRow[]> {
  const rows = await reader.rows<ClaimedRow>(statement, values);
  // Postgres writes 64-bit numbers as text.
  return rows.map((row) => ({
    ...row,
    id: Number(row.id),
    poolId: row.poolId === null ? null : Number(row.poolId),
  }));
}

async function claimRows(
  tx: Tx,
  { dialect }: Database,
  leaseId: string,
  { destination, route, limit, isProbe }: Claim,
): Promise<ClaimedRow[]> {
  const due = await tx.rows<{ id: number | string; attempts: number }>(DUE(dialect), {
    destination,
    route,
    limit: isProbe ? PROBE_CHOICE : limit,
  });
  if (due.length === 0) return [];
  const going = isProbe ? goingAsProbe(due, limit) : goingTogether(due, limit);
  const ids = dialect.idList(going.map(({ id }) => Number(id)));
  await tx.rows(LEASED(dialect), { leaseId, ids });
  return rowsOf(tx, HELD(dialect), { ids });
}

/**
 * Found by an index and locked, then leased, and read last: on Postgres what a browser reported was committed
 * before the lock was ours, and an earlier statement might not see it.
 */
const DUE = keptStatement(
  ({ now, skipLocked }) => sql`
    select id, attempts from outbox_progress
    where status = 'pending' and destination = ${value("destination")} and route = ${value("route")}
      and available_at <= ${now}
    order by available_at, id limit ${value("limit")} ${skipLocked}`,
);
const LEASED = keptStatement(
  ({ now, plusMs, anyId }) => sql`
    update outbox_progress
    set status = 'sending', lease_id = ${value("leaseId")}, lease_until = ${plusMs(now, LEASE_MS)}, attempts = attempts + 1
    where ${anyId(sql`id`, value("ids"))}`,
);
const HELD = keptStatement(
  (dialect) => sql`
    select ${rowColumns(dialect)} from outbox_progress join outbox_events using (id)
    where ${dialect.anyId(sql`id`, value("ids"))} order by id`,
);

/** Keeps the rows of these leases for another lease's length. */
export async function renewLeases(db: Database, leaseIds: readonly string[]): Promise<void> {
  if (leaseIds.length === 0) return;
  const { now, plusMs } = db.dialect;
  const ids = sql.join(
    leaseIds.map((id) => sql`${id}`),
    sql`, `,
  );
  await db.transaction((tx) =>
    tx.rows(sql`update outbox_progress set lease_until = ${plusMs(now, LEASE_MS)}
      where status = 'sending' and lease_id in (${ids}) returning id`),
  );
}

/**
 * Gives rows whose lease ran out, because their dispatcher died, back to everybody. Answers how many. At once for the
 * first time; then with the back-off of their attempts: one of them may be what dispatchers die of.
 */
export async function reclaimExpired(db: Database): Promise<number> {
  const { now, plusMs } = db.dialect;
  // One after the other: for both together SQLite would go through all that is being sent.
  const lapsed = await reclaim(db, sql`lease_until < ${now}`);
  return lapsed + (await reclaim(db, sql`lease_until > ${plusMs(now, LONGEST_LEASE_MS)}`));
}

async function reclaim(db: Database, hasEnded: SQL): Promise<number> {
  const { now, plusMs, skipLocked } = db.dialect;
  const ceilingMs = (attempts: number) => sql.raw(String(backOffCeilingMs(attempts)));
  const ceilings = Array.from(
    { length: HIGHEST_CEILING_AT - 1 },
    (_, i) => sql`when ${sql.raw(String(i + 1))} then ${ceilingMs(i + 1)}`,
  );
  const backOff = sql`case attempts ${sql.join(ceilings, sql` `)} else ${ceilingMs(HIGHEST_CEILING_AT)} end`;
  const rows = await db.transaction((tx) =>
    tx.rows(sql`
      with lapsed as materialized (
        select id from outbox_progress where status = 'sending' and ${hasEnded}
        order by lease_until limit ${SWEEP_BATCH} ${skipLocked}
      )
      update outbox_progress set status = 'pending', lease_id = null, lease_until = null,
        available_at = case when attempts > 1 then ${plusMs(now, backOff)}
          when available_at > ${now} then ${now} else available_at end
      where id in (select id from lapsed) returning id`),
  );
  return rows.length;
}
