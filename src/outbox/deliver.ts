import { withDatabaseDeadline } from "../db/database-deadline.ts";
import { HOUR_MS } from "../platform/durations.ts";
import { errorText } from "../platform/errors.ts";
import { BREAKER_THRESHOLD, backOffMs } from "./back-off.ts";
import { ALONE_AFTER } from "./batch-size.ts";
import { changeRoute, type RouteChange } from "./change-route.ts";
import { clockLeap } from "./clock-leap.ts";
import { commitWithRetry } from "./commit-with-retry.ts";
import { consequencesOf } from "./consequences.ts";
import type { ClaimedRow, DestinationAdapter, Sent, Verdict } from "./destination.ts";
import { isolate, type Reply } from "./isolate.ts";
import { RENEW_EVERY_MS, stillHeld } from "./lease.ts";
import { DATABASE_TIMEOUT_MS } from "./limits.ts";
import { makeRetriesDue } from "./make-retries-due.ts";
import {
  type LeasedBatch,
  noteChange,
  type RecordDeps,
  recordRequest,
  settleRows,
} from "./record-request.ts";
import type { RouteKey } from "./routes.ts";
import { settle } from "./settle.ts";
import { keptText, storable } from "./storable.ts";

/** How long what seems too old waits while the clock is doubted. */
const HELD_MS = HOUR_MS;
const HELD = {
  kind: "released",
  afterMs: HELD_MS,
  reason: "waits: it seems too old to be sent, but the clock leapt forward not long ago",
} as const;
const EXPIRED = {
  kind: "expired",
  fbtraceId: null,
  reason: "not sent: older than the other side takes when its turn came",
} as const;

/** One request made, for the metrics. */
export interface RequestFact extends RouteKey {
  readonly outcome: Verdict["kind"];
  readonly events: number;
  readonly durationMs: number;
}

/** What a delivery works with. */
export interface DeliveryDeps extends RecordDeps {
  readonly adapter: DestinationAdapter;
  readonly onRequest: (fact: RequestFact) => void;
  /** Aborted when the process stops. */
  readonly signal: AbortSignal;
}

/**
 * Sends a batch and settles every row of it. Where the other side refuses it for a bad row, it is sent apart until
 * that row stands alone: it ends with the other side's words, and its neighbours are delivered.
 */
export async function deliver(deps: DeliveryDeps, batch: LeasedBatch): Promise<void> {
  const { adapter, signal } = deps;
  const isTooOld = (row: ClaimedRow) => adapter.isExpired(row, new Date(row.claimedAtMs));
  const tooOld = new Set(batch.rows.filter(isTooOld));
  if (tooOld.size > 0) await expire(deps, batch, [...tooOld]);
  const sendable = batch.rows.filter((row) => !tooOld.has(row));
  if (sendable.length === 0) return;
  try {
    if (signal.aborted) return await giveBack(deps, batch, sendable, { kind: "unknown" });
    const ask = async (rows: readonly ClaimedRow[]): Promise<Reply> => {
      if (!signal.aborted) return send(deps, batch, rows);
      await giveBack(deps, batch, rows);
      return { kind: "stop" };
    };
    const unasked = await isolate(sendable, ask, (rows) => stillOurs(deps, batch, rows));
    if (unasked.length > 0) await giveBack(deps, batch, unasked);
  } catch (error) {
    await setBack(deps, batch, error);
    throw error;
  }
}

/**
 * Asked of the database, unless they were taken a moment ago: a process that was stopped, or slept, finds that others have
 * sent them; and between two requests of a batch somebody may have been erased.
 */
async function stillOurs(
  { db, signal }: DeliveryDeps,
  { leaseId, takenAtMs, rows: all }: LeasedBatch,
  rows: readonly ClaimedRow[],
): Promise<readonly ClaimedRow[]> {
  const isWhole = rows.length === all.length;
  const wasJustTaken = Math.abs(Date.now() - takenAtMs) < RENEW_EVERY_MS;
  if (signal.aborted || (isWhole && wasJustTaken)) return rows;
  return withDatabaseDeadline(db, DATABASE_TIMEOUT_MS, stillHeld(db, leaseId, rows));
}

/**
 * Gives rows back that nothing is wrong with: they go when their route is fine again, or another dispatcher takes them.
 *
 * @param change for the route, where no request was made that would have said more of it
 */
async function giveBack(
  deps: DeliveryDeps,
  batch: LeasedBatch,
  rows: readonly ClaimedRow[],
  change?: RouteChange,
): Promise<void> {
  await commitWithRetry(deps, async (tx) => {
    const released = { kind: "released", afterMs: null, reason: null } as const;
    const given = await settle(tx, deps.db, batch.leaseId, rows, released);
    if (change && given.length > 0) await noteChange(deps, tx, batch, change);
  });
}

/** Something of ours failed, such as the database: what the batch still holds is tried again like any failure. */
async function setBack({ db, log }: DeliveryDeps, batch: LeasedBatch, error: unknown): Promise<void> {
  const afterMs = (attempts: number) => backOffMs(attempts, Math.random());
  const reason = keptText(`could not be handled: ${errorText(error)}`);
  await db
    .transaction(async (tx) => {
      await settle(tx, db, batch.leaseId, batch.rows, { kind: "retry", afterMs, fbtraceId: null, reason });
      await changeRoute(tx, db, batch.key, { kind: "failed" });
    })
    .catch((cause) => log.warn({ error: cause }, "a batch could not even be set back; its lease runs out"));
}

async function send(deps: DeliveryDeps, batch: LeasedBatch, rows: readonly ClaimedRow[]): Promise<Reply> {
  const { key, streak, standing } = batch;
  const sent = storable(await deps.adapter.send(key.route, rows, deps.signal));
  const consequences = consequencesOf(sent, {
    events: rows.length,
    throttles: standing.throttles,
    unexplained: streak.unexplained,
    isStopping: deps.signal.aborted,
    random: Math.random(),
  });
  const { verdict } = sent;
  if (verdict.kind === "delivered") streak.unexplained = 0;
  if (verdict.kind === "invalid" && rows.length === 1 && verdict.isUnexplained) {
    streak.unexplained++;
    streak.hasCounted = true;
  }
  report(deps, { ...key, events: rows.length }, sent, consequences.change);
  const isNoted = await commitWithRetry(deps, (tx, tried) =>
    recordRequest(deps, tx, batch, { rows, sent, consequences, tried }),
  );
  const isProbeThrough = consequences.change?.kind === "healthy" && standing.failures >= BREAKER_THRESHOLD;
  if (isNoted && isProbeThrough) await makeDue(deps, key);
  return consequences.reply;
}

/** The route works again. What was tried while it did not goes at its own time where this fails. */
async function makeDue({ db, log }: DeliveryDeps, key: RouteKey): Promise<void> {
  await makeRetriesDue(db, key, ALONE_AFTER).catch((error) =>
    log.warn({ error, route: key.route }, "what failed before its route worked again could not be made due"),
  );
}

/** One log line a request, with the raw answer; and one for a pause, which needs somebody's attention. */
function report(
  { log, onRequest }: DeliveryDeps,
  { destination, route, events }: RouteKey & { readonly events: number },
  { verdict, answer }: Sent,
  change: RouteChange | null,
): void {
  const reason = verdict.kind === "delivered" ? verdict.note : verdict.reason;
  if (answer) {
    onRequest({ destination, route, outcome: verdict.kind, events, durationMs: answer.durationMs });
    const line = { destination, route, events, outcome: verdict.kind, reason, ...answer };
    const marker = `[${destination.toUpperCase()} RAW RESPONSE]`;
    if (verdict.kind === "delivered") log.info(line, marker);
    else log.warn(line, marker);
  }
  if (change?.kind === "paused") {
    log.error(
      { destination, route, reason: change.reason },
      "route paused: its events wait until it is resumed",
    );
  }
}

/** Ends what became too old to be sent; where the clock is doubted it waits, for it may be as young as it ever was. */
async function expire(deps: DeliveryDeps, batch: LeasedBatch, rows: readonly ClaimedRow[]): Promise<void> {
  const { db, log } = deps;
  const nothingIsSent = rows.length === batch.rows.length;
  const isHeld = await commitWithRetry(deps, async (tx, tried) => {
    const leap = await clockLeap(tx, db.dialect);
    const isOurs = leap
      ? (await settle(tx, db, batch.leaseId, rows, HELD)).length > 0
      : await settleRows(deps, tx, batch, { rows, settlement: EXPIRED, tried });
    if (isOurs && nothingIsSent) await noteChange(deps, tx, batch, { kind: "unknown" });
    return leap !== null;
  });
  const fact = { route: batch.key.route, events: rows.length };
  if (isHeld) log.warn(fact, "events seem too old to be sent; they wait, for the clock leapt not long ago");
  else
    log.error(fact, "events were older than the other side takes when their turn came; they end as expired");
}
