import { and, eq, gt, inArray, or, type SQL, sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import { isOneOf } from "../db/dialect.ts";
import { MOOT_WHEN, type OutboxStatus } from "../db/vocabulary.ts";
import { changeFound } from "./change-found.ts";
import { isErased } from "./erased.ts";
import { filterCondition, hasStatus, type OutboxFilter } from "./filter.ts";
import { type IdWindow, idWindows, isFewWaiting, isInWindow } from "./id-windows.ts";

/** What an operator can do with rows that are not on their way. */
export type Replay = "retry" | "discard";

/** Certain rows, or all that a filter matches. */
export type Selection = { readonly ids: readonly number[] } | { readonly filter: OutboxFilter };

/** Rows changed in one transaction: locks are held for milliseconds, however many match. */
const BATCH = 1_000;

/**
 * What was delivered is never sent again, and what is being sent is its dispatcher's. Pending comes first: what is
 * retried becomes pending, and must not be met again.
 */
const POSSIBLE: Readonly<Record<Replay, readonly OutboxStatus[]>> = {
  retry: ["pending", "dead", "expired", "discarded"],
  discard: ["pending", "dead", "expired"],
};

/** Of a filter that names no status: what was thrown away on purpose, and what still waits, must be asked for. */
const UNASKED: readonly OutboxStatus[] = ["dead", "expired"];

/** The statuses of the rows that would be changed; none where the asked one cannot be. */
export function replayedStatuses(action: Replay, selection: Selection): readonly OutboxStatus[] {
  if ("ids" in selection) return POSSIBLE[action];
  const asked = selection.filter.status;
  return asked === undefined ? UNASKED : POSSIBLE[action].filter((status) => status === asked);
}

/** What goes along with a replay. */
interface ReplayHooks {
  /** Called inside the transaction of each batch with the ids that it changed, to write them down with it. */
  readonly record?: (tx: Tx, changed: readonly number[]) => Promise<void>;
  /** Told after each batch how many rows are done. */
  readonly onProgress?: (done: number) => void;
  /** Ends the work after the batch in hand. */
  readonly signal?: AbortSignal;
}

/** How many rows `replay` would change: its dry run. */
export async function countReplay(db: Database, action: Replay, selection: Selection): Promise<number> {
  const { outbox } = db.tables;
  let total = 0;
  for (const status of replayedStatuses(action, selection)) {
    const matching = selectionCondition(db, action, selection, status);
    if ("ids" in selection || (status === "pending" && (await isFewWaiting(db)))) {
      total += await db.$count(outbox, matching);
      continue;
    }
    for await (const window of idWindows(db, selection.filter, { direction: "up" }))
      total += await db.$count(outbox, and(matching, isInWindow(db, window)));
  }
  return total;
}

/**
 * Makes rows due at once, with their attempts counted anew (`retry`), or takes them out of the queue for good
 * (`discard`; they can still be retried). Works in batches, each its own transaction. Resolves to how many rows it
 * changed.
 */
export async function replay(
  db: Database,
  action: Replay,
  selection: Selection,
  { record, onProgress, signal }: ReplayHooks = {},
): Promise<number> {
  let done = 0;
  for await (const { ids, statuses } of batchesOf(db, action, selection)) {
    if (signal?.aborted) break;
    done += await db.transaction(async (tx) => {
      const changed: number[] = [];
      const held = await lock(tx, db, ids, statuses);
      for (const status of statuses) changed.push(...(await change(tx, db, action, held, status)));
      if (changed.length > 0) await record?.(tx, changed);
      if (changed.length > 0 && action === "retry") await tx.notify("outbox");
      return changed.length;
    });
    onProgress?.(done);
  }
  return done;
}

interface Batch {
  readonly ids: readonly number[];
  /** What they may be now, in the order in which they are changed. */
  readonly statuses: readonly OutboxStatus[];
}

async function* batchesOf(db: Database, action: Replay, selection: Selection): AsyncGenerator<Batch> {
  const statuses = replayedStatuses(action, selection);
  if ("ids" in selection) {
    for (const ids of chunks(selection.ids)) yield { ids, statuses };
    return;
  }
  for (const status of statuses) {
    const matching = selectionCondition(db, action, selection, status);
    if (status === "pending" && (await isFewWaiting(db))) {
      const { outbox } = db.tables;
      const waiting = await db.select({ id: outbox.id }).from(outbox).where(matching);
      for (const ids of chunks(waiting.map(({ id }) => id))) yield { ids, statuses: [status] };
      continue;
    }
    for await (const window of idWindows(db, selection.filter, { direction: "up" }))
      for await (const ids of idsIn(db, window, matching)) yield { ids, statuses: [status] };
  }
}

/** The matching rows of a window, a batch at a time; those already met are passed by, whatever became of them. */
async function* idsIn(db: Database, window: IdWindow, matching: SQL | undefined) {
  const { outbox } = db.tables;
  for (let { from } = window; from < window.to; ) {
    const found = await db
      .select({ id: outbox.id })
      .from(outbox)
      .where(and(matching, isInWindow(db, { from, to: window.to })))
      .orderBy(outbox.id)
      .limit(BATCH);
    const ids = found.map(({ id }) => id);
    if (ids.length > 0) yield ids;
    from = ids.length < BATCH ? window.to : (ids.at(-1) ?? window.to) + 1;
  }
}

function* chunks(ids: readonly number[]): Generator<readonly number[]> {
  for (let at = 0; at < ids.length; at += BATCH) yield ids.slice(at, at + BATCH);
}

/** Locks rows, always in the same order, so that they can be judged by what they are now. Answers their ids. */
async function lock(
  tx: Tx,
  db: Database,
  ids: readonly number[],
  statuses: readonly OutboxStatus[],
): Promise<number[]> {
  const { outboxProgress } = db.tables;
  const rows = await db.dialect.locked(
    tx
      .select({ id: outboxProgress.id })
      .from(outboxProgress)
      .where(and(isOneOf(db, outboxProgress.id, ids), inArray(outboxProgress.status, [...statuses])))
      .orderBy(outboxProgress.id),
  );
  return rows.map(({ id }) => id);
}

/** Changes those of the locked rows that have the status: a dispatcher may have taken one. Answers their ids. */
function change(
  tx: Tx,
  db: Database,
  action: Replay,
  ids: readonly number[],
  status: OutboxStatus,
): Promise<readonly number[]> {
  const { dialect, tables } = db;
  const matching = sql`select id from ${tables.outbox} where ${selectionCondition(db, action, { ids }, status)}`;
  const set =
    action === "retry"
      ? sql`status = 'pending', attempts = 0, available_at = ${dialect.now}`
      : sql`status = 'discarded'`;
  return changeFound(tx, db, matching, set);
}

function selectionCondition(
  db: Database,
  action: Replay,
  selection: Selection,
  status: OutboxStatus,
): SQL | undefined {
  const isPossible = and(
    hasStatus(db.tables.outbox, status),
    // Of an event from which a person was erased there is nothing left to send.
    status === "discarded" ? sql`not ${isErased(db)}` : undefined,
    action === "retry" ? sql`not ${isOvertaken(db)}` : undefined,
    action === "retry" && status === "pending" ? isHeldBack(db) : undefined,
  );
  return "ids" in selection
    ? and(isOneOf(db, db.tables.outbox.id, selection.ids), isPossible)
    : and(filterCondition(db, { ...selection.filter, status: undefined }), isPossible);
}

/** Of a sale's messages those that are not sent any more: a way to pay once it is paid, what was bought once that is paid back. */
function isOvertaken({ tables: { outbox, payments } }: Database): SQL {
  const isMoot = or(
    ...Object.entries(MOOT_WHEN).map(([eventName, statuses]) =>
      and(eq(outbox.eventName, eventName), inArray(payments.status, statuses)),
    ),
  );
  return sql`(${inArray(outbox.eventName, Object.keys(MOOT_WHEN))} and exists (
    select 1 from ${payments} where ${payments.id} = ${outbox.paymentId} and ${isMoot}
  ))`;
}

/** What is due anyway and was never tried is as retrying would make it; so is what has just been retried. */
function isHeldBack({ dialect, tables: { outbox } }: Database): SQL | undefined {
  return or(gt(outbox.attempts, 0), sql`${outbox.availableAt} > ${dialect.now}`);
}
