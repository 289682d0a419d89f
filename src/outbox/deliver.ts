import { sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import { keptStatement } from "../db/kept.ts";
import type { Log } from "../platform/log.ts";
import { BREAKER_THRESHOLD, backOffMs } from "./back-off.ts";
import { type Consequences, consequencesOf } from "./consequences.ts";
import type { Answer, ClaimedRow, DestinationAdapter, Sent, Verdict } from "./destination.ts";
import { isolate, type Reply } from "./isolate.ts";
import { type Settlement, settle } from "./lease.ts";
import { changeRoute, hurryRetries, type RouteChange, type RouteKey, type Standing } from "./routes.ts";
import { surely } from "./surely.ts";

/** How rows come to their end. */
export type Ending = Extract<Settlement, { readonly kind: "delivered" | "dead" | "expired" }>;

/** Tells a feature, inside the transaction that settles them, which rows came to their end and how. */
export type OnSettled = (tx: Tx, rows: readonly ClaimedRow[], ending: Ending, key: RouteKey) => Promise<void>;

/** What a feature makes of the rows' end failed, and not the database. */
class OnSettledError extends Error {
  override readonly name = "OnSettledError";
}

/** One request made, for the metrics. */
export interface RequestFact extends RouteKey {
  readonly outcome: Verdict["kind"];
  readonly events: number;
  readonly durationMs: number;
}

export interface DeliveryDeps {
  readonly db: Database;
  readonly log: Log;
  readonly adapter: DestinationAdapter;
  readonly onSettled: OnSettled;
  readonly onRequest: (fact: RequestFact) => void;
  /** Aborted when the process stops. */
  readonly signal: AbortSignal;
}

/** Rows of one route, held under one lease. */
export interface Batch {
  readonly key: RouteKey;
  readonly leaseId: string;
  readonly rows: readonly ClaimedRow[];
  /** How the route stood before. */
  readonly standing: Standing;
  /** Refusals in a row that nothing in the events explained; as this batch goes on counting them. */
  readonly streak: { unexplained: number; hasCounted: boolean };
}

/**
 * Sends a batch and settles every row of it. Where the other side refuses it for a bad row, it is sent apart until
 * that row stands alone: it ends with the other side's words, and its neighbours are delivered.
 */
export async function deliver(deps: DeliveryDeps, batch: Batch): Promise<void> {
  const { adapter, signal } = deps;
  const isTooOld = (row: ClaimedRow) => adapter.isExpired(row, new Date(row.claimedAtMs));
  const tooOld = new Set(batch.rows.filter(isTooOld));
  if (tooOld.size > 0) await expire(deps, batch, [...tooOld]);
  const sendable = tooOld.size > 0 ? batch.rows.filter((row) => !tooOld.has(row)) : batch.rows;
  if (sendable.length === 0) return;
  try {
    const unasked = await isolate(sendable, (rows) =>
      signal.aborted ? giveBack(deps, batch, rows) : send(deps, batch, rows),
    );
    if (unasked.length > 0) await giveBack(deps, batch, unasked);
  } catch (error) {
    await setBack(deps, batch, error);
    throw error;
  }
}

/** Not these rows are to blame: they are due when their route is fine, or another dispatcher there. */
async function giveBack(deps: DeliveryDeps, batch: Batch, rows: readonly ClaimedRow[]): Promise<Reply> {
  await surely(deps, (tx) =>
    settle(tx, deps.db, batch.leaseId, rows, { kind: "released", afterMs: null, reason: null }),
  );
  return { kind: "stop" };
}

/** Something of ours failed, such as the database: what the batch still holds is tried again like any failure. */
async function setBack({ db, log }: DeliveryDeps, batch: Batch, error: unknown): Promise<void> {
  const afterMs = (attempts: number) => backOffMs(attempts, Math.random());
  const reason = `could not be handled: ${String(error)}`;
  await db
    .transaction(async (tx) => {
      await settle(tx, db, batch.leaseId, batch.rows, { kind: "retry", afterMs, fbtraceId: null, reason });
      await changeRoute(tx, db, batch.key, { kind: "failed" });
    })
    .catch((cause) => log.warn({ error: cause }, "a batch could not even be set back; its lease runs out"));
}

async function send(deps: DeliveryDeps, batch: Batch, rows: readonly ClaimedRow[]): Promise<Reply> {
  const { key, streak, standing } = batch;
  const sent = await deps.adapter.send(key.route, rows, deps.signal);
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
  report(deps, key, rows.length, sent);
  await surely(deps, (tx, failure) => record(deps, tx, batch, rows, sent, consequences, failure));
  return consequences.reply;
}

/** One log line a request, with the raw answer; and one for a pause, which needs somebody's attention. */
function report(
  { log, onRequest }: DeliveryDeps,
  key: RouteKey,
  events: number,
  { verdict, answer }: Sent,
): void {
  const reason = verdict.kind === "delivered" ? verdict.note : verdict.reason;
  const { destination, route } = key;
  if (answer) {
    onRequest({ destination, route, outcome: verdict.kind, events, durationMs: answer.durationMs });
    const line = { destination, route, events, outcome: verdict.kind, reason, ...answer };
    const marker = `[${destination.toUpperCase()} RAW RESPONSE]`;
    if (verdict.kind === "delivered") log.info(line, marker);
    else log.warn(line, marker);
  }
  if (verdict.kind === "credential") {
    log.error({ destination, route, reason }, "route paused: its events wait until it is resumed");
  }
}

/** Writes a request down, and in the same transaction what it did to its rows and to the route. */
async function record(
  deps: DeliveryDeps,
  tx: Tx,
  batch: Batch,
  rows: readonly ClaimedRow[],
  { verdict, answer }: Sent,
  { settlement, change }: Consequences,
  failure: unknown,
): Promise<void> {
  const { db } = deps;
  const { key, standing } = batch;
  const settled = settlement ? await settleRows(deps, tx, batch, rows, settlement, failure) : rows.length;
  if (answer) await writeAttempt(tx, db, key, rows, verdict, answer);
  // Too late: whoever took the rows over has learnt since how the route is.
  if (settled === 0) return;
  if (change && isNews(change, batch)) await changeRoute(tx, db, key, change);
  if (change?.kind === "healthy" && standing.failures >= BREAKER_THRESHOLD) {
    await hurryRetries(tx, db, key);
    await tx.notify("outbox");
  }
}

/** A healthy route that stays so is not written to: it is the usual case, and many batches share it. */
function isNews(change: RouteChange, { standing, streak }: Batch): boolean {
  const { failures, throttles, unexplained } = standing;
  switch (change.kind) {
    case "healthy":
      return (
        change.pauseMs !== null ||
        failures > 0 ||
        throttles > 0 ||
        change.unexplained === "more" ||
        (change.unexplained === "none" && (unexplained > 0 || streak.hasCounted))
      );
    case "unknown":
      // Only a probe holds a right that others wait for.
      return failures >= BREAKER_THRESHOLD;
    case "failed":
    case "throttled":
    case "paused":
      return true;
  }
}

async function writeAttempt(
  tx: Tx,
  { dialect }: Database,
  { destination, route }: RouteKey,
  rows: readonly ClaimedRow[],
  verdict: Verdict,
  answer: Answer,
): Promise<void> {
  await tx.rows(ATTEMPT(dialect), {
    destination,
    route,
    outboxIds: `[${rows.map(({ id }) => id).join(",")}]`,
    events: rows.length,
    outcome: verdict.kind,
    ...answer,
    startsInMs: -answer.durationMs,
  });
}

const ATTEMPT = keptStatement(({ now, plusMs, jsonOf }) => {
  const value = sql.placeholder;
  return sql`
    insert into outbox_attempts
      (destination, route, outbox_ids, events, outcome, status, code, subcode, fbtrace_id, duration_ms, response, started_at)
    values (${value("destination")}, ${value("route")}, ${jsonOf(value("outboxIds"))}, ${value("events")},
      ${value("outcome")}, ${value("status")}, ${value("code")}, ${value("subcode")}, ${value("fbtraceId")},
      ${value("durationMs")}, ${value("response")}, ${plusMs(now, value("startsInMs"))})`;
});

/**
 * Answers how many of the rows it settled: those whose lease was not lost meanwhile. Where `onSettled` was what failed,
 * again and again, the rows come to their end without it: else they would be sent for ever.
 *
 * @param failure what writing the same down failed with before, at the last try
 */
async function settleRows(
  { db, log, onSettled }: DeliveryDeps,
  tx: Tx,
  { key, leaseId }: Batch,
  rows: readonly ClaimedRow[],
  settlement: Settlement,
  failure: unknown,
): Promise<number> {
  const settled = await settle(tx, db, leaseId, rows, settlement);
  if (settled.length < rows.length) {
    log.warn(
      { route: key.route, lost: rows.length - settled.length },
      "a lease was lost before its result came; whoever took the events over decides about them",
    );
  }
  if (settlement.kind === "retry" || settlement.kind === "released") return settled.length;
  if (failure instanceof OnSettledError) {
    log.error(
      { route: key.route, error: failure.cause },
      "rows came to their end, and what follows from that failed",
    );
    return settled.length;
  }
  const ids = new Set(settled);
  const ended = rows.filter(({ id }) => ids.has(id));
  if (ended.length > 0) {
    await onSettled(tx, ended, settlement, key).catch((cause) => {
      throw new OnSettledError("what follows from the rows' end could not be written down", { cause });
    });
  }
  return settled.length;
}

async function expire(deps: DeliveryDeps, batch: Batch, rows: readonly ClaimedRow[]): Promise<void> {
  deps.log.error(
    { route: batch.key.route, events: rows.length },
    "events were older than the other side takes when their turn came; they end as expired",
  );
  const reason = "not sent: older than the other side takes when its turn came";
  await surely(deps, (tx, failure) =>
    settleRows(deps, tx, batch, rows, { kind: "expired", fbtraceId: null, reason }, failure),
  );
}
