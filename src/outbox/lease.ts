import { type SQL, sql } from "drizzle-orm";
import type { Database, RawNumber, Reader, Tx } from "../db/database.ts";
import type { Dialect } from "../db/dialect.ts";
import { preparedStatement } from "../db/prepared-statement.ts";
import { backOffCeilingMs, HIGHEST_CEILING_AT } from "./back-off.ts";
import { pickBatch, pickProbe } from "./batch-size.ts";
import { changeFound } from "./change-found.ts";
import { changeRoute, takeProbe } from "./change-route.ts";
import type { ClaimedRow } from "./destination.ts";
import { PIECE } from "./limits.ts";
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

/** What of a row lies in `outbox_progress`. */
type Progress = Pick<ClaimedRow, "id" | "eventName" | "attempts" | "createdAtMs" | "claimedAtMs" | "poolId">;
/** The same as it is read. */
interface ProgressRow extends Omit<Progress, "id" | "poolId"> {
  readonly id: RawNumber;
  readonly poolId: RawNumber | null;
}
/** And in `outbox_events`. */
interface ContentRow extends Pick<ClaimedRow, "eventId" | "payload" | "trackingToken" | "paymentId"> {
  readonly id: RawNumber;
}

const progressColumns = ({ now, epochMs }: Dialect) => sql`
  event_name as "eventName", attempts, ${epochMs(sql`created_at`)} as "createdAtMs", ${epochMs(now)} as "claimedAtMs",
  pool_id as "poolId"`;
const eventColumns = ({ jsonText }: Dialect) => sql`
  event_id as "eventId", ${jsonText(sql`payload`)} as payload, tracking_token as "trackingToken", payment_id as "paymentId"`;

/** The rows that a condition on `outbox_progress` finds; it may go on with an order and a limit. */
export async function rowsWhere(db: Database, condition: SQL): Promise<ClaimedRow[]> {
  const found = await db.rows<ProgressRow>(
    sql`select id, ${progressColumns(db.dialect)} from outbox_progress where ${condition}`,
  );
  return withEvents(db, db.dialect, found.map(progressOf));
}

/** What is sent, read by itself: with statistics of an emptier table, Postgres joins both tables row by row. */
async function withEvents(
  reader: Reader,
  dialect: Dialect,
  rows: readonly Progress[],
): Promise<ClaimedRow[]> {
  const ids = dialect.idList(rows.map(({ id }) => id));
  const events = await reader.rows<ContentRow>(EVENTS(dialect), { ids });
  const byId = new Map(events.map((event) => [Number(event.id), event]));
  return rows.flatMap((progress) => {
    const event = byId.get(progress.id);
    return event ? [{ ...event, ...progress }] : [];
  });
}

function progressOf(row: ProgressRow): Progress {
  return { ...row, id: Number(row.id), poolId: row.poolId === null ? null : Number(row.poolId) };
}

async function claimRows(
  tx: Tx,
  { dialect }: Database,
  leaseId: string,
  { destination, route, limit, isProbe }: Claim,
): Promise<ClaimedRow[]> {
  const due = await tx.rows<ProgressRow>(DUE(dialect), {
    destination,
    route,
    limit: isProbe ? PROBE_CHOICE : limit,
  });
  if (due.length === 0) return [];
  const going = (isProbe ? pickProbe(due, limit) : pickBatch(due, limit)).map(progressOf);
  await tx.rows(LEASED(dialect), { leaseId, ids: dialect.idList(going.map(({ id }) => id)) });
  const leased = await withEvents(tx, dialect, going);
  return leased.map((row) => ({ ...row, attempts: row.attempts + 1 }));
}

/**
 * Found by an index and locked, then leased, and what is sent read last: on Postgres what a browser reported was
 * committed before the lock was ours, and an earlier statement might not see it. The rest comes with the lock, for
 * Postgres would have to look for the rewritten rows anew.
 */
const DUE = preparedStatement(
  (dialect) => sql`
    select id, ${progressColumns(dialect)} from outbox_progress
    where status = 'pending' and destination = ${value("destination")} and route = ${value("route")}
      and available_at <= ${dialect.now}
    order by available_at, id limit ${value("limit")} ${dialect.skipLocked}`,
);
const LEASED = preparedStatement(
  ({ now, plusMs, anyId }) => sql`
    update outbox_progress
    set status = 'sending', lease_id = ${value("leaseId")}, lease_until = ${plusMs(now, LEASE_MS)}, attempts = attempts + 1
    where ${anyId(sql`id`, value("ids"))}`,
);
const EVENTS = preparedStatement(
  (dialect) => sql`
    select id, ${eventColumns(dialect)} from outbox_events where ${dialect.anyId(sql`id`, value("ids"))}`,
);

/**
 * Renews some of these leases' rows that were not renewed for `RENEW_EVERY_MS`, and answers how many: call until it is 0.
 * `relaxed` is enough: a power cut takes the lease's holder too.
 */
export async function renewLeases(db: Database, leaseIds: readonly string[]): Promise<number> {
  if (leaseIds.length === 0) return 0;
  const { now, plusMs, anyText, textList } = db.dialect;
  const leaseUntil = plusMs(now, LEASE_MS);
  const isTheirs = anyText(sql`lease_id`, textList(leaseIds));
  const renew = (tx: Tx, isDue: SQL) =>
    changeSending(tx, db, sql`${isDue} and ${isTheirs}`, sql`lease_until = ${leaseUntil}`);
  return db.transaction(async (tx) => {
    const due = await renew(tx, sql`lease_until < ${plusMs(now, LEASE_MS - RENEW_EVERY_MS)}`);
    // The clock was set back, and they would pass for leases that a clock ahead gave to somebody who died.
    return due + (await renew(tx, sql`lease_until > ${leaseUntil}`));
  }, "relaxed");
}

/** Those of the rows that are still under the lease: others may have been taken over since, or erased. */
export async function stillHeld(
  { dialect, rows: read }: Pick<Database, "dialect" | "rows">,
  leaseId: string,
  rows: readonly ClaimedRow[],
): Promise<readonly ClaimedRow[]> {
  const ids = dialect.idList(rows.map(({ id }) => id));
  const held = new Set(
    (await read<{ id: RawNumber }>(HELD(dialect), { leaseId, ids })).map(({ id }) => Number(id)),
  );
  return rows.filter(({ id }) => held.has(id));
}

const HELD = preparedStatement(
  ({ anyId }) => sql`
    select id from outbox_progress where ${anyId(sql`id`, value("ids"))} and lease_id = ${value("leaseId")}`,
);

/**
 * Gives some rows back whose lease ran out because their dispatcher died, and answers how many: ask until it is none. A row
 * is due at once the first time; then after its attempts' back-off, for it may be what dispatchers die of. Lost with the
 * machine's power, as `relaxed` may be, it is done again.
 *
 * @param ownLeaseIds of who asks, and lives: a clock that is set after they were renewed ends none of them. Asked for within
 *   the transaction: while that waits to begin, new ones are taken
 */
export async function reclaimExpired(
  db: Database,
  ownLeaseIds: () => readonly string[] = () => [],
): Promise<number> {
  const { now, plusMs, anyText, textList } = db.dialect;
  const isOthers = () => sql`not ${anyText(sql`coalesce(lease_id, '')`, textList(ownLeaseIds()))}`;
  return db.transaction(async (tx) => {
    // One after the other: for both together SQLite would go through all that is being sent.
    const lapsed = await reclaim(tx, db, sql`lease_until < ${now} and ${isOthers()}`);
    const tooLong = sql`lease_until > ${plusMs(now, LONGEST_LEASE_MS)}`;
    return lapsed + (await reclaim(tx, db, sql`${tooLong} and ${isOthers()}`));
  }, "relaxed");
}

async function reclaim(tx: Tx, db: Database, hasEnded: SQL): Promise<number> {
  const { now, plusMs } = db.dialect;
  const ceilingMs = (attempts: number) => sql.raw(String(backOffCeilingMs(attempts)));
  const ceilings = Array.from(
    { length: HIGHEST_CEILING_AT - 1 },
    (_, i) => sql`when ${sql.raw(String(i + 1))} then ${ceilingMs(i + 1)}`,
  );
  const backOff = sql`case attempts ${sql.join(ceilings, sql` `)} else ${ceilingMs(HIGHEST_CEILING_AT)} end`;
  const availableAt = sql`case when attempts > 1 then ${plusMs(now, backOff)}
    when available_at > ${now} then ${now} else available_at end`;
  return changeSending(
    tx,
    db,
    hasEnded,
    sql`status = 'pending', lease_id = null, lease_until = null, available_at = ${availableAt}`,
  );
}

/** Changes some of the rows that are being sent, those whose lease ends first, but none that somebody else is changing. */
async function changeSending(tx: Tx, db: Database, condition: SQL, set: SQL): Promise<number> {
  const found = sql`
    select id from outbox_progress where status = 'sending' and ${condition}
    order by lease_until limit ${PIECE} ${db.dialect.skipLocked}`;
  return (await changeFound(tx, db, found, set)).length;
}
