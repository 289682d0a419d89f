import { and, eq, gt, or, type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import type { OutboxStatus } from "../db/define-schema.ts";
import { isErased } from "./erased.ts";
import { filterCondition, type OutboxFilter, statusLiteral } from "./filter.ts";

/** What an operator can do with rows that are not on their way. */
export type Replay = "retry" | "discard";

/** Certain rows, or all that a filter matches. */
export type Selection = { readonly ids: readonly number[] } | { readonly filter: OutboxFilter };

/** Rows changed in one transaction: locks are held for milliseconds, however many match. */
const BATCH = 2_000;

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
  const asked = "ids" in selection ? POSSIBLE[action] : selection.filter.status;
  if (asked === undefined) return UNASKED;
  return typeof asked === "string" ? POSSIBLE[action].filter((status) => status === asked) : asked;
}

/** How many rows `replay` would change: its dry run. */
export async function countReplay(db: Database, action: Replay, selection: Selection): Promise<number> {
  let total = 0;
  for (const status of replayedStatuses(action, selection)) {
    total += await db.$count(db.tables.outbox, selectionCondition(db, action, selection, status));
  }
  return total;
}

/**
 * Makes rows due at once, with their attempts counted anew (`retry`), or takes them out of the queue for good
 * (`discard`; they can still be retried). Works in batches, each its own transaction, and tells `onProgress` how
 * many are done after each. Resolves to how many rows it changed.
 */
export async function replay(
  db: Database,
  action: Replay,
  selection: Selection,
  onProgress: (done: number) => void = () => undefined,
): Promise<number> {
  const { outbox } = db.tables;
  let done = 0;
  for (const status of replayedStatuses(action, selection)) {
    const matching = selectionCondition(db, action, selection, status);
    // What waits is gone through in the order of its own index.
    const order =
      status === "pending" ? [outbox.destination, outbox.route, outbox.availableAt, outbox.id] : [outbox.id];
    const { destination, route, availableAt, id } = outbox;
    for (let further: SQL | undefined; ; ) {
      const found = await db
        .select({ destination, route, availableAt, id })
        .from(outbox)
        .where(and(matching, further))
        .orderBy(...order)
        .limit(BATCH);
      const ids = found.map((row) => row.id);
      const last = found.at(-1);
      if (last) further = status === "pending" ? afterInTurn(db, last) : gt(id, last.id);
      if (ids.length > 0) done += await change(db, action, ids, status);
      onProgress(done);
      if (ids.length < BATCH) break;
    }
  }
  return done;
}

/** Changes those rows that still have the status they were found with: meanwhile a dispatcher may have taken one. */
async function change(
  db: Database,
  action: Replay,
  ids: readonly number[],
  status: OutboxStatus,
): Promise<number> {
  const { dialect } = db;
  const { outbox } = db.tables;
  const now = sql<Date>`${dialect.now}`;
  return db.transaction(async (tx) => {
    const changed = await tx
      .update(outbox)
      .set(
        action === "retry" ? { status: "pending", attempts: 0, availableAt: now } : { status: "discarded" },
      )
      .where(and(dialect.anyId(sql`${outbox.id}`, ids), eq(outbox.status, status)))
      .returning({ id: outbox.id });
    if (action === "retry") await tx.notify("outbox");
    return changed.length;
  });
}

/** Rows whose turn comes after that one's, as it was found: retrying it has changed its place. */
function afterInTurn(
  { dialect }: Database,
  row: {
    readonly destination: string;
    readonly route: string;
    readonly availableAt: Date;
    readonly id: number;
  },
): SQL {
  return sql`(destination, route, available_at, id) > (${row.destination}, ${row.route}, ${dialect.instant(row.availableAt)}, ${row.id})`;
}

function selectionCondition(
  db: Database,
  action: Replay,
  selection: Selection,
  status: OutboxStatus,
): SQL | undefined {
  const { outbox } = db.tables;
  const hasStatus = sql`${outbox.status} = ${statusLiteral(status)}`;
  // Of an event from which a person was erased there is nothing left to send.
  const isStatus =
    status === "discarded"
      ? and(hasStatus, sql`not ${isErased(db)}`)
      : status === "pending" && action === "retry"
        ? and(hasStatus, isHeldBack(db))
        : hasStatus;
  const isPossible = action === "retry" ? and(isStatus, sql`not ${isGivenBack(db)}`) : isStatus;
  return "ids" in selection
    ? and(db.dialect.anyId(sql`${outbox.id}`, selection.ids), isPossible)
    : and(filterCondition(db, { ...selection.filter, status: undefined }), isPossible);
}

/** What was bought is not sent once its money has gone back. */
function isGivenBack({ tables: { outbox, payments } }: Database): SQL {
  return sql`(${outbox.eventName} = 'delivery' and exists (
    select 1 from ${payments} where ${payments.id} = ${outbox.paymentId} and ${payments.status} in ('refunded', 'chargeback')
  ))`;
}

/** What is due anyway and was never tried is as retrying would make it; so is what has just been retried. */
function isHeldBack({ dialect, tables: { outbox } }: Database): SQL | undefined {
  return or(gt(outbox.attempts, 0), sql`${outbox.availableAt} > ${dialect.now}`);
}
