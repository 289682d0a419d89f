import { and, gt, lt, type SQL, sql } from "drizzle-orm";
import type { PgColumn, PgTable } from "drizzle-orm/pg-core";
import type { Database, Tx } from "../db/database.ts";
import { isOneOf } from "../db/dialect.ts";
import { PIECE } from "../outbox/limits.ts";
import { firstIdAt } from "../platform/ids.ts";

/** What is to be removed from where, and how gently. */
export interface Removal {
  readonly db: Database;
  /** What is older is old. */
  readonly cutoff: Date;
  /** Between pieces, so that those who serve visitors go first. */
  readonly pauseMs: number;
  /** Ends the work after the piece in hand. */
  readonly signal: AbortSignal;
}

/** A table whose rows are numbered nearly in the order of their time. */
interface Numbered {
  readonly table: PgTable;
  readonly id: PgColumn;
  readonly at: PgColumn;
  /** Rows in one transaction, where `PIECE` would be too many. */
  readonly atOnce?: number;
  /** Which of the old rows go; absent: all. */
  readonly isDone?: SQL;
  /** Removes, in the same transaction, what belongs to the rows that went. */
  readonly alongWith?: (tx: Tx, ids: readonly number[]) => Promise<void>;
}

/**
 * Removes old rows and answers how many. Walks the table in the order of its row numbers until nothing old follows: no
 * index on the time is needed, and most of what is young is never read.
 */
export async function removeOldRows(removal: Removal, numbered: Numbered): Promise<number> {
  const { db, cutoff, pauseMs, signal } = removal;
  const { table, id, at, atOnce = PIECE, isDone, alongWith } = numbered;
  let removed = 0;
  for (let last = 0; !signal.aborted; ) {
    const page = await db
      .select({ id: sql`${id}`.mapWith(Number), isOld: sql<unknown>`${lt(at, cutoff)}` })
      .from(table)
      .where(gt(id, last))
      .orderBy(id)
      .limit(atOnce);
    const old = page.filter(({ isOld }) => Boolean(isOld)).map((row) => row.id);
    last = page.at(-1)?.id ?? last;
    if (old.length === 0 && !(await isFollowedByOld(removal, numbered, last))) break;
    // What somebody else is changing, as who retries it, is left to the next hour: the two might wait for each other.
    const free = sql`
      select ${id} from ${table} where ${and(isOneOf(db, id, old), isDone)} ${db.dialect.skipLocked}`;
    removed += await db.transaction(async (tx) => {
      const gone = await tx
        .delete(table)
        .where(db.dialect.idAmong(sql`${id}`, free))
        .returning({ id: sql`${id}`.mapWith(Number) });
      const ids = gone.map((row) => row.id);
      await alongWith?.(tx, ids);
      return ids.length;
    }, "relaxed");
    if (page.length < atOnce) break;
    await Bun.sleep(pauseMs);
  }
  return removed;
}

/**
 * Whether an old row still follows. Looks 1, 2, 4 … rows ahead: a clock that ran ahead may have dated some rows too young.
 */
async function isFollowedByOld(
  { db, cutoff }: Removal,
  { table, id, at }: Numbered,
  last: number,
): Promise<boolean> {
  for (let ahead = 1; ; ahead *= 2) {
    const [row] = await db
      .select({ isOld: sql<unknown>`${lt(at, cutoff)}` })
      .from(table)
      .where(gt(id, last + ahead))
      .orderBy(id)
      .limit(1);
    if (row === undefined) return false;
    if (row.isOld) return true;
  }
}

/**
 * Removes old sessions and answers how many. A tracking token begins with its time, so the unique index finds them; but
 * a database that sorts by a language's rules may find young ones too (in Danish, aa comes after z). Those that somebody
 * holds, for a payment or to erase them, are left to the next hour: waited for, the two might wait for each other.
 */
export async function removeOldSessions({ db, cutoff, pauseMs, signal }: Removal): Promise<number> {
  const { sessions } = db.tables;
  const { instant, idAmong, skipLocked } = db.dialect;
  const firstYoung = firstIdAt(cutoff.getTime());
  const old = sql`
    select id from ${sessions} where tracking_token < ${firstYoung} and created_at < ${instant(cutoff)}
    order by tracking_token limit ${PIECE} ${skipLocked}`;
  let removed = 0;
  while (!signal.aborted) {
    const gone = await db.transaction(
      (tx) =>
        tx
          .delete(sessions)
          .where(idAmong(sql`${sessions.id}`, old))
          .returning({ id: sessions.id }),
      "relaxed",
    );
    removed += gone.length;
    if (gone.length < PIECE) break;
    await Bun.sleep(pauseMs);
  }
  return removed;
}
