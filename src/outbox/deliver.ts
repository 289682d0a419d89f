import type { Database, Tx } from "../db/database.ts";
import type { Log } from "../platform/log.ts";
import { backOffMs, breakerRestMs } from "./back-off.ts";
import type { ClaimedRow, DestinationAdapter, Sent } from "./destination.ts";
import { extendLease, type Settlement, settle } from "./lease.ts";
import { changeRoute, type RouteChange, type RouteKey } from "./routes.ts";

/** Tells a feature, inside the transaction that settles them, which rows ended and how. */
export type OnSettled = (
  tx: Tx,
  rows: readonly ClaimedRow[],
  settlement: Settlement,
  key: RouteKey,
) => Promise<void>;

export interface DeliveryDeps {
  readonly db: Database;
  readonly log: Log;
  readonly adapter: DestinationAdapter;
  readonly onSettled: OnSettled;
  readonly signal: AbortSignal;
  /** Failures in a row that the route had before. */
  readonly failures: number;
}

const THROTTLE_MS = 60_000;

/** What a finished request means for the dispatcher: go on with the route, or leave it for now. */
export type RouteState = "open" | "resting";

/**
 * Sends rows held under a lease and settles every one of them. Where the other side refuses a batch for one bad
 * row, the batch is halved until that row stands alone: it ends, its neighbours are delivered, and that costs
 * about 2·log2(n) requests.
 */
export async function deliver(
  deps: DeliveryDeps,
  key: RouteKey,
  leaseId: string,
  rows: readonly ClaimedRow[],
): Promise<RouteState> {
  const tooOld = rows.filter((row) => deps.adapter.isExpired(row, new Date()));
  if (tooOld.length > 0) await expire(deps, key, leaseId, tooOld);
  const queue = [rows.filter((row) => !tooOld.includes(row))];
  for (let batch = queue.shift(); batch; batch = queue.shift()) {
    if (batch.length === 0) continue;
    const sent = await deps.adapter.send(key.route, batch, deps.signal);
    if (sent.verdict.kind === "invalid" && batch.length > 1) {
      await record(deps, key, leaseId, batch, sent, null, null);
      const middle = Math.ceil(batch.length / 2);
      queue.unshift(batch.slice(0, middle), batch.slice(middle));
      const held = queue.flat().map(({ id }) => id);
      if (!(await extendLease(deps.db, leaseId, held))) return "resting";
      continue;
    }
    const { settlement, change } = consequences(sent, batch, deps.failures);
    await record(deps, key, leaseId, batch, sent, settlement, change);
    if (settlement.kind === "pending") {
      // The rest of the batch shares the request's fate: the route is in trouble, not the rows.
      await release(deps, leaseId, queue.flat(), settlement);
      return "resting";
    }
  }
  return "open";
}

interface Consequences {
  readonly settlement: Settlement;
  readonly change: RouteChange;
}

/** What an answer does to the rows it was for and to their route. */
function consequences(
  { verdict, answer }: Sent,
  rows: readonly ClaimedRow[],
  failures: number,
): Consequences {
  const { fbtraceId } = answer;
  switch (verdict.kind) {
    case "delivered":
      return {
        settlement: { kind: "delivered", fbtraceId, note: verdict.note },
        change: { kind: "healthy", pauseMs: verdict.pauseMs },
      };
    case "invalid":
      return {
        settlement: { kind: verdict.as, fbtraceId, reason: verdict.reason },
        change: { kind: "healthy", pauseMs: null },
      };
    case "transient": {
      const attempts = Math.max(...rows.map((row) => row.attempts));
      const afterMs = Math.max(verdict.afterMs ?? 0, backOffMs(attempts, Math.random()));
      return {
        settlement: { kind: "pending", afterMs, countsAttempt: true, reason: verdict.reason },
        change: { kind: "failed", failures: failures + 1, restMs: breakerRestMs(failures + 1) },
      };
    }
    case "throttled": {
      const forMs = verdict.afterMs ?? THROTTLE_MS;
      return {
        settlement: { kind: "pending", afterMs: forMs, countsAttempt: false, reason: verdict.reason },
        change: { kind: "throttled", forMs },
      };
    }
    case "credential":
      return {
        settlement: { kind: "pending", afterMs: 0, countsAttempt: false, reason: verdict.reason },
        change: { kind: "paused", reason: verdict.reason },
      };
  }
}

/** Writes a request down, and in the same transaction what it did to its rows and to the route. */
async function record(
  deps: DeliveryDeps,
  key: RouteKey,
  leaseId: string,
  rows: readonly ClaimedRow[],
  { verdict, answer }: Sent,
  settlement: Settlement | null,
  change: RouteChange | null,
): Promise<void> {
  const { db, log } = deps;
  const line = {
    ...key,
    events: rows.length,
    outcome: verdict.kind,
    status: answer.status,
    fbtraceId: answer.fbtraceId,
    durationMs: answer.durationMs,
    response: answer.response,
  };
  const marker = key.destination === "meta" ? "[META RAW RESPONSE]" : "[TELEGRAM RAW RESPONSE]";
  if (verdict.kind === "delivered") log.info(line, marker);
  else log.warn({ ...line, reason: verdict.reason }, marker);
  if (verdict.kind === "credential") {
    log.error({ ...key, reason: verdict.reason }, "route paused: its rows wait until it is resumed");
  }
  await db.transaction(async (tx) => {
    if (settlement) await settleRows(deps, tx, key, leaseId, rows, settlement);
    const isNews =
      change !== null && (change.kind !== "healthy" || change.pauseMs !== null || deps.failures > 0);
    if (isNews) await changeRoute(tx, db, key, change);
    await tx.insert(db.tables.outboxAttempts).values({
      ...key,
      outboxIds: rows.map(({ id }) => id),
      events: rows.length,
      outcome: verdict.kind,
      status: answer.status,
      code: answer.code,
      subcode: answer.subcode,
      fbtraceId: answer.fbtraceId,
      durationMs: answer.durationMs,
      response: answer.response,
      startedAt: new Date(Date.now() - answer.durationMs),
    });
  });
}

async function settleRows(
  deps: DeliveryDeps,
  tx: Tx,
  key: RouteKey,
  leaseId: string,
  rows: readonly ClaimedRow[],
  settlement: Settlement,
): Promise<void> {
  const settled = await settle(
    tx,
    deps.db,
    leaseId,
    rows.map(({ id }) => id),
    settlement,
  );
  if (settled.length < rows.length) {
    deps.log.warn(
      { ...key, lost: rows.length - settled.length },
      "a lease was lost before its result came; whoever took the rows over decides",
    );
  }
  const ids = new Set(settled);
  await deps.onSettled(
    tx,
    rows.filter(({ id }) => ids.has(id)),
    settlement,
    key,
  );
}

async function expire(deps: DeliveryDeps, key: RouteKey, leaseId: string, rows: readonly ClaimedRow[]) {
  deps.log.error(
    { ...key, events: rows.length },
    "events are older than the destination accepts; they end as expired",
  );
  await deps.db.transaction((tx) =>
    settleRows(deps, tx, key, leaseId, rows, {
      kind: "expired",
      fbtraceId: null,
      reason: "older than the destination accepts when its turn came",
    }),
  );
}

async function release(
  deps: DeliveryDeps,
  leaseId: string,
  rows: readonly ClaimedRow[],
  settlement: Settlement,
): Promise<void> {
  if (rows.length === 0) return;
  await deps.db.transaction((tx) =>
    settle(
      tx,
      deps.db,
      leaseId,
      rows.map(({ id }) => id),
      settlement,
    ),
  );
}
