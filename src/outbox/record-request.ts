import type { Database, Tx } from "../db/database.ts";
import type { Log } from "../platform/log.ts";
import { attemptOf, isWritten, writeAttempt } from "./attempts.ts";
import { BREAKER_THRESHOLD } from "./back-off.ts";
import { changeRoute, type RouteChange } from "./change-route.ts";
import type { Tried } from "./commit-with-retry.ts";
import type { Consequences } from "./consequences.ts";
import type { ClaimedRow, Sent } from "./destination.ts";
import type { RouteKey, Standing } from "./routes.ts";
import { type Settlement, settle } from "./settle.ts";

/** How rows come to their end. */
export type Ending = Exclude<Settlement, { readonly kind: "retry" | "released" }>;

/** Tells a feature, inside the transaction that settles them, which rows came to their end and how. */
export type OnSettled = (tx: Tx, rows: readonly ClaimedRow[], ending: Ending, key: RouteKey) => Promise<void>;

/** `onSettled` failed, and not what the outbox itself writes. */
class OnSettledError extends Error {
  override readonly name = "OnSettledError";
}

/** What writing requests down works with. */
export interface RecordDeps {
  readonly db: Database;
  readonly log: Log;
  readonly onSettled: OnSettled;
}

/** Rows of one route, held under one lease. */
export interface LeasedBatch {
  readonly key: RouteKey;
  readonly leaseId: string;
  readonly rows: readonly ClaimedRow[];
  /** When they began to be taken, by this machine's clock. Unix milliseconds. */
  readonly takenAtMs: number;
  /** How the route stood before. */
  readonly standing: Standing;
  /** Refusals in a row that nothing in the events explained; as this batch goes on counting them. */
  readonly streak: { unexplained: number; hasCounted: boolean };
}

/** A request for some rows of a batch, and what follows from it. */
interface MadeRequest {
  readonly rows: readonly ClaimedRow[];
  readonly sent: Sent;
  readonly consequences: Consequences;
  readonly tried: Tried;
}

/** How some rows of a batch leave its lease. */
interface RowsSettlement {
  readonly rows: readonly ClaimedRow[];
  readonly settlement: Settlement;
  readonly tried: Tried;
}

/**
 * Writes a request down, and in the same transaction what it did to its rows and to the route: once, though an earlier
 * try's commit may have come through without anybody hearing of it. Answers whether it did anything to them.
 */
export async function recordRequest(
  deps: RecordDeps,
  tx: Tx,
  batch: LeasedBatch,
  { rows, sent, consequences, tried }: MadeRequest,
): Promise<boolean> {
  const { db } = deps;
  const { key } = batch;
  const { verdict, answer } = sent;
  const { settlement, change } = consequences;
  const attempt = answer && attemptOf(key, rows, verdict, answer);
  const isOurs = settlement === null || (await settleRows(deps, tx, batch, { rows, settlement, tried }));
  // Rows that this try settled were settled by no earlier one. Asked only now: on Postgres, settling waits for a try that
  // is still under way.
  const mayBeWritten = tried.before && (settlement === null || !isOurs);
  if (mayBeWritten && attempt && (await isWritten(tx, db, attempt, tried.sinceMs))) return false;
  if (attempt) await writeAttempt(tx, db, attempt);
  // Too late: whoever took the rows over has learnt since how the route is.
  if (!isOurs) return false;
  if (change) await noteChange(deps, tx, batch, change);
  return true;
}

/** Writes down what a batch did to its route, where that is news. */
export async function noteChange(
  { db }: RecordDeps,
  tx: Tx,
  batch: LeasedBatch,
  change: RouteChange,
): Promise<void> {
  if (isNews(change, batch)) await changeRoute(tx, db, batch.key, change);
}

/** A healthy route that stays so is not written to: it is the usual case, and many batches share it. */
function isNews(change: RouteChange, { standing, streak }: LeasedBatch): boolean {
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

/**
 * Settles those rows of a batch that are still under its lease. Answers whether any were: else they were taken over, or
 * an earlier try had settled them.
 */
export async function settleRows(
  deps: RecordDeps,
  tx: Tx,
  { key, leaseId }: LeasedBatch,
  { rows, settlement, tried }: RowsSettlement,
): Promise<boolean> {
  const settled = new Set(await settle(tx, deps.db, leaseId, rows, settlement));
  const isSettledBefore = tried.before && settled.size === 0;
  if (settled.size < rows.length && !isSettledBefore) {
    deps.log.warn(
      { route: key.route, lost: rows.length - settled.size },
      "a lease was lost before its result came; whoever took the events over decides about them",
    );
  }
  const ended = rows.filter(({ id }) => settled.has(id));
  if (ended.length > 0 && settlement.kind !== "retry" && settlement.kind !== "released") {
    await tellOfEnd(deps, tx, { key, ended, ending: settlement, failure: tried.failure });
  }
  return settled.size > 0;
}

/** Rows that came to their end, how, and what the last try to write that down failed with. */
interface RowsEnd {
  readonly key: RouteKey;
  readonly ended: readonly ClaimedRow[];
  readonly ending: Ending;
  readonly failure: unknown;
}

/** Calls `onSettled`. Where it failed at every try, the rows end without it: else they would be sent for ever. */
async function tellOfEnd(
  { log, onSettled }: RecordDeps,
  tx: Tx,
  { key, ended, ending, failure }: RowsEnd,
): Promise<void> {
  if (failure instanceof OnSettledError) {
    log.error(
      { route: key.route, error: failure.cause },
      "rows came to their end, and what follows from that failed",
    );
    return;
  }
  await onSettled(tx, ended, ending, key).catch((cause) => {
    throw new OnSettledError("what follows from the rows' end could not be written down", { cause });
  });
}
