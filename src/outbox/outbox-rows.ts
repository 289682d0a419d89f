import { and, desc, eq, getViewSelectedFields, gte, lte, type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { isOneOf } from "../db/dialect.ts";
import { type Page, pageOf } from "../platform/pagination.ts";
import { filterCondition, type OutboxFilter } from "./filter.ts";
import { idWindows, isFewWaiting, isInWindow } from "./id-windows.ts";
import { type AttemptView, attemptView, type OutboxView, outboxView } from "./views.ts";

type Row = Tables["outbox"]["$inferSelect"];
type AttemptRow = Tables["outboxAttempts"]["$inferSelect"];

/** A request's start is reckoned back from its answer, so it may seem to lie this far outside the row's life. */
const SLACK_MS = 60_000;
/** Requests shown of one row; one that was tried more often shows its latest. */
const MOST_REQUESTS = 200;

/** A row with what is sent and every request made for it, oldest first. */
export interface OutboxDetail extends OutboxView {
  readonly payload: unknown;
  readonly requests: readonly AttemptView[];
}

/**
 * Rows of the filter, newest first. `cursor` is the previous page's `next_cursor` as a number. Few filters have an
 * index, so it looks through the table piece by piece; after `budgetMs` it stops: the page is short then, or empty,
 * and its `next_cursor` goes on from there.
 */
export async function listOutbox(
  db: Database,
  filter: OutboxFilter,
  {
    cursor,
    limit,
    budgetMs = Number.POSITIVE_INFINITY,
  }: { cursor?: number | undefined; limit: number; budgetMs?: number },
): Promise<Page<OutboxView>> {
  const { outbox } = db.tables;
  const matching = filterCondition(db, filter);
  const inOrder = (found: readonly FoundRow[]) => pageOf(found.map(outboxView), limit, ({ id }) => id);
  if (await isQuicklyFound(db, filter)) {
    const newest = await newestIds(db, filter, cursor, limit + 1);
    const ids = newest.map(({ id }) => id);
    return inOrder(await readRows(db, isOneOf(db, outbox.id, ids), desc(outbox.id), limit + 1));
  }
  const found: FoundRow[] = [];
  const startedMs = performance.now();
  for await (const window of idWindows(db, filter, { direction: "down", below: cursor })) {
    const isHere = and(matching, isInWindow(db, window));
    found.push(...(await readRows(db, isHere, desc(outbox.id), limit + 1 - found.length)));
    if (found.length > limit) break;
    if (performance.now() - startedMs > budgetMs)
      return { ...inOrder(found), next_cursor: String(window.from) };
  }
  return inOrder(found);
}

/**
 * The numbers of the newest rows of a filter that an index answers. Thousands may wait: their index knows these without
 * reading a row. The pluses keep the planner from walking back through everything that was delivered since.
 */
export function newestIds(db: Database, filter: OutboxFilter, cursor: number | undefined, limit: number) {
  const { outbox } = db.tables;
  const isOlder = cursor === undefined ? undefined : sql`+${outbox.id} < ${cursor}`;
  return db
    .select({ id: outbox.id })
    .from(outbox)
    .where(and(filterCondition(db, filter), isOlder))
    .orderBy(sql`+${outbox.id} desc`)
    .limit(limit);
}

/** An index leads to a few rows, whatever their number in the table. */
async function isQuicklyFound(db: Database, filter: OutboxFilter): Promise<boolean> {
  if (filter.eventId !== undefined || filter.trackingToken !== undefined) return true;
  return filter.status === "sending" || (filter.status === "pending" && (await isFewWaiting(db)));
}

type FoundRow = Awaited<ReturnType<typeof readRows>>[number];

function readRows(db: Database, where: SQL | undefined, order: SQL, limit: number) {
  const { outbox, pools } = db.tables;
  const { payload: _, ...row } = getViewSelectedFields(outbox);
  return db
    .select({ row, pool: pools.slug })
    .from(outbox)
    .leftJoin(pools, eq(pools.id, outbox.poolId))
    .where(where)
    .orderBy(order)
    .limit(limit);
}

/** One row with its payload and its requests, or null. */
export async function findOutboxRow(db: Database, id: number): Promise<OutboxDetail | null> {
  const { outbox, pools } = db.tables;
  const [found] = await db
    .select({ row: getViewSelectedFields(outbox), pool: pools.slug })
    .from(outbox)
    .leftJoin(pools, eq(pools.id, outbox.poolId))
    .where(eq(outbox.id, id));
  if (found === undefined) return null;
  const requests = await requestsFor(db, found.row);
  return {
    ...outboxView(found),
    payload: found.row.payload,
    requests: requests.map(attemptView),
  };
}

/** The requests on the row's route, while it waited, that carried it. */
async function requestsFor(db: Database, row: Row): Promise<AttemptRow[]> {
  const { outboxAttempts } = db.tables;
  const latest = await db
    .select()
    .from(outboxAttempts)
    .where(carriedRow(db, row))
    .orderBy(desc(outboxAttempts.startedAt), desc(outboxAttempts.id))
    .limit(MOST_REQUESTS);
  return latest.reverse();
}

/** Which of `outbox_attempts` carried the row: found by its route and its life. */
export function carriedRow(
  db: Database,
  row: Pick<Row, "id" | "destination" | "route" | "createdAt" | "deliveredAt">,
): SQL | undefined {
  const { outboxAttempts } = db.tables;
  const at = (date: Date, slackMs: number) => new Date(date.getTime() + slackMs);
  return and(
    eq(outboxAttempts.destination, row.destination),
    eq(outboxAttempts.route, row.route),
    gte(outboxAttempts.startedAt, at(row.createdAt, -SLACK_MS)),
    row.deliveredAt ? lte(outboxAttempts.startedAt, at(row.deliveredAt, SLACK_MS)) : undefined,
    holdsId(db, row.id),
  );
}

/** `outbox_ids` is written as `[1,2,3]`; looked through as text, because the two databases unpack JSON differently. */
function holdsId({ dialect, tables: { outboxAttempts } }: Database, id: number): SQL {
  const text = dialect.jsonText(sql`${outboxAttempts.outboxIds}`);
  return sql`(',' || substr(${text}, 2, length(${text}) - 2) || ',') like ${`%,${id},%`}`;
}
