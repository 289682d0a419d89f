import { and, desc, eq, getTableColumns, gte, lt, lte, type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { type Page, pageOf } from "../platform/page.ts";
import { filterCondition, type OutboxFilter } from "./filter.ts";
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

/** Rows of the filter, newest first. `cursor` is the previous page's `next_cursor` as a number. */
export async function listOutbox(
  db: Database,
  filter: OutboxFilter,
  { cursor, limit }: { cursor?: number | undefined; limit: number },
): Promise<Page<OutboxView>> {
  const { outbox, pools } = db.tables;
  const { payload: _, ...row } = getTableColumns(outbox);
  // What waits is few among what was delivered, and has an index of its own: the plus keeps the planner from
  // walking back through everything delivered since.
  const isWaiting = filter.status === "pending" || filter.status === "sending";
  const rows = await db
    .select({ row, pool: pools.slug })
    .from(outbox)
    .leftJoin(pools, eq(pools.id, outbox.poolId))
    .where(and(filterCondition(db, filter), cursor === undefined ? undefined : lt(outbox.id, cursor)))
    .orderBy(isWaiting ? sql`+${outbox.id} desc` : desc(outbox.id))
    .limit(limit + 1);
  return pageOf(
    rows.map((found) => outboxView(found.row, found.pool)),
    limit,
    (view) => view.id,
  );
}

/** One row with its payload and its requests, or null. */
export async function findOutboxRow(db: Database, id: number): Promise<OutboxDetail | null> {
  const { outbox, pools } = db.tables;
  const [found] = await db
    .select({ row: getTableColumns(outbox), pool: pools.slug })
    .from(outbox)
    .leftJoin(pools, eq(pools.id, outbox.poolId))
    .where(eq(outbox.id, id));
  if (found === undefined) return null;
  const requests = await requestsFor(db, found.row);
  return {
    ...outboxView(found.row, found.pool),
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
