import { eq, inArray, sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import type { Tables } from "../../src/db/define-schema.ts";
import type { SplitRow } from "../../src/db/split-table.ts";
import { createDispatcher } from "../../src/outbox/dispatcher.ts";
import { enqueue, outboxTable } from "../../src/outbox/enqueue.ts";
import { metaDestination } from "../../src/outbox/meta-destination.ts";
import { formatRoute } from "../../src/outbox/routes.ts";
import { newId } from "../../src/platform/ids.ts";
import { createLog } from "../../src/platform/log.ts";
import { createSecrets } from "../../src/platform/secrets.ts";
import { addPool } from "./pools.ts";
import { untilHeldUp } from "./until-held-up.ts";

export const testSecrets = createSecrets(new Uint8Array(32).fill(7));

/** A well-formed PageView; of a moment ago, for a server's `Date` may be a second old. */
export function pageView(eventId: string, eventTimeSeconds = Math.floor(Date.now() / 1000) - 5) {
  return {
    event_name: "PageView",
    event_time: eventTimeSeconds,
    event_id: eventId,
    action_source: "website",
    event_source_url: "https://go.example.com/go/open",
    user_data: { client_user_agent: "Mozilla/5.0", external_id: "a".repeat(64) },
  };
}

/** A pool whose pixel has a token, so that its events can be sent. */
export function addSendingPool(db: Database, slug: string, metaPixelId: string) {
  return addPool(db, {
    slug,
    metaPixelId,
    metaAccessToken: testSecrets.seal("EAAtest-token-0123456789", "pools.meta_access_token"),
  });
}

/** Enqueues events of a pixel, due at once. */
export function enqueueEvents(
  db: Database,
  pixelId: string,
  events: readonly { readonly event_name: string; readonly event_id: string; readonly user_data: object }[],
  testEventCode: string | null = null,
) {
  return db.transaction((tx) =>
    enqueue(
      tx,
      db.tables,
      events.map((payload) => ({
        destination: "meta",
        route: formatRoute(pixelId, testEventCode),
        eventName: payload.event_name,
        eventId: payload.event_id,
        payload,
      })),
    ),
  );
}

/** A dispatcher that sends to `graphUrl`. */
export function testDispatcher(db: Database, graphUrl: string, options: { timeoutMs?: number } = {}) {
  return createDispatcher({
    db,
    log: createLog("silent"),
    adapters: {
      meta: metaDestination({ db, secrets: testSecrets, graphUrl, graphVersion: "v24.0", ...options }),
    },
  });
}

/** Takes away what other tests left. */
export function emptyOutbox(db: Database) {
  const { outboxEvents, outboxProgress } = db.tables;
  return db.transaction(async (tx) => {
    await tx.delete(outboxProgress);
    await tx.delete(outboxEvents);
  });
}

/**
 * Lets events lie in the reverse order of their numbers, and Postgres know how few there are: so small a table it reads
 * through, and locks them in the order in which they lie.
 */
export async function turnRound(db: Database, ids: readonly number[]): Promise<void> {
  const { outboxProgress } = db.tables;
  for (const id of ids.toReversed())
    await db.transaction((tx) =>
      tx.update(outboxProgress).set({ attempts: 1 }).where(eq(outboxProgress.id, id)),
    );
  if (db.dialect.name === "postgres") await db.transaction((tx) => tx.rows(sql`analyze outbox_progress`));
}

/** Begins both while somebody else has the first of the events, each when the one before it waits; resolves to what they do. */
export async function bothAtOnce<A, B>(
  db: Database,
  [first = 0]: readonly number[],
  one: () => Promise<A>,
  other: () => Promise<B>,
): Promise<[A, B]> {
  const { outboxProgress } = db.tables;
  let both: Promise<[A, B]> | undefined;
  await db.transaction(async (tx) => {
    await tx.update(outboxProgress).set({ poolId: 1 }).where(eq(outboxProgress.id, first));
    const begun = one();
    await untilHeldUp(db, begun);
    const others = other();
    await untilHeldUp(db, others, 2);
    both = Promise.all([begun, others]);
  });
  if (!both) throw new Error("nothing was begun");
  return both;
}

/** How many rows have each status. */
export async function statusCounts(db: Database): Promise<Record<string, number>> {
  const rows = await db.rows<{ status: string; n: number | string }>(
    sql`select status, count(*) as n from outbox group by status`,
  );
  return Object.fromEntries(rows.map(({ status, n }) => [status, Number(n)]));
}

/** Lets everything that waits fall due now: time passes without anybody waiting for it. */
export async function passTime(db: Database): Promise<void> {
  const { now, plusMs } = db.dialect;
  const past = plusMs(now, -1_000);
  await db.transaction(async (tx) => {
    await tx.rows(sql`update outbox set available_at = ${past} where status = 'pending' returning id`);
    await tx.rows(
      sql`update outbox_routes set throttled_until = null, open_until = case when open_until is null then null else ${past} end returning id`,
    );
  });
}

/** An event as it lies in the outbox' two tables. */
export type NewRow = SplitRow<Tables["outboxEvents"], Tables["outboxProgress"]>;

/** Rows as some earlier work left them, written straight into the table; answers their ids. */
export async function addRows(
  db: Database,
  n: number,
  { availableInMs = 0, ...columns }: Partial<NewRow> & { readonly availableInMs?: number } = {},
): Promise<number[]> {
  const now = new Date();
  const rows = Array.from({ length: n }, () => {
    const eventId = newId();
    return {
      destination: "meta" as const,
      route: "123",
      eventName: "PageView",
      eventId,
      payload: pageView(eventId),
      status: "pending" as const,
      createdAt: now,
      availableAt: new Date(now.getTime() + availableInMs),
      ...columns,
    };
  });
  const { outboxEvents } = db.tables;
  await db.transaction((tx) => tx.insertSplit(outboxTable(db.tables), rows));
  const ids: number[] = [];
  // All at once, looking for thousands of them takes Postgres longer than a statement may.
  for (let i = 0; i < rows.length; i += 500) {
    const eventIds = rows.slice(i, i + 500).map(({ eventId }) => eventId);
    const written = await db
      .select({ id: outboxEvents.id })
      .from(outboxEvents)
      .where(inArray(outboxEvents.eventId, eventIds));
    ids.push(...written.map(({ id }) => id));
  }
  return ids.sort((a, b) => a - b);
}
