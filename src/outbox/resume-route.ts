import { and, eq, or, type SQL, sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import { accountOf, isOfAccount, isOperators, isRoute, lockRoutes, type RouteKey } from "./routes.ts";

/** The most rows that are made due at once when a route may go again; the others wait for their own time. */
const MOST_HURRIED = 10_000;

/**
 * Ends whatever holds a route up: its pause, its rest after failures, and the wait that the other side asked its pixel or
 * bot for, with which the pixel's or bot's other routes go again too. Answers whether there was anything to end.
 */
export async function resumeRoute(tx: Tx, db: Database, key: RouteKey): Promise<boolean> {
  const { outboxRoutes } = db.tables;
  const account = accountOf(key);
  await lockRoutes(tx, db, or(isRoute(db, key), isRoute(db, account)));
  const lifted = await tx
    .update(outboxRoutes)
    .set({ throttledUntil: null })
    .where(and(isRoute(db, account), sql`${outboxRoutes.throttledUntil} > ${db.dialect.now}`))
    .returning({ id: outboxRoutes.id });
  const rested =
    lifted.length > 0
      ? await tx.select({ route: outboxRoutes.route }).from(outboxRoutes).where(isOfAccount(db, account))
      : [];
  const removed = await tx.delete(outboxRoutes).where(isRoute(db, key)).returning({ id: outboxRoutes.id });
  if (lifted.length + removed.length === 0) return false;
  for (const route of new Set([key.route, ...rested.map(({ route }) => route)]))
    await hurryRetries(tx, db, { destination: key.destination, route });
  await tx.notify("outbox");
  return true;
}

/**
 * A pool's token or pixel changed, so that routes which Meta refused may work now: those of the pixel, and those of pixels
 * that no pool has any more, whose events go with the tokens of the pools they came from. What an operator paused stays so.
 */
export async function poolCredentialChanged(tx: Tx, db: Database, pixelId: string | null): Promise<void> {
  const isIts = pixelId === null ? undefined : isOfAccount(db, { destination: "meta", route: pixelId });
  await forgetRefusals(tx, db, or(isIts, isNoPoolsPixel(db)));
}

/** The same for a bot's token. */
export async function botCredentialChanged(tx: Tx, db: Database, botId: number): Promise<void> {
  await forgetRefusals(tx, db, isOfAccount(db, { destination: "telegram", route: String(botId) }));
}

async function forgetRefusals(tx: Tx, db: Database, which: SQL | undefined): Promise<void> {
  const refused = and(which, sql`not ${isOperators(db)}`);
  await lockRoutes(tx, db, refused);
  await tx.delete(db.tables.outboxRoutes).where(refused);
  await tx.notify("outbox");
}

/** Meta's routes of pixels that no pool holds a token for: their pools have another pixel by now, or none. */
function isNoPoolsPixel({ tables: { outboxRoutes, pools } }: Database): SQL | undefined {
  const isOfPool = sql`(${outboxRoutes.route} = ${pools.metaPixelId} or ${outboxRoutes.route} like ${pools.metaPixelId} || '/%')`;
  const hasPool = sql`exists (select 1 from ${pools} where ${pools.metaAccessToken} is not null and ${isOfPool})`;
  return and(eq(outboxRoutes.destination, "meta"), sql`not ${hasPool}`);
}

/**
 * Makes those of the route's rows due that wait because an attempt failed or was put off. A row that is only held for
 * what a browser has still to report goes on waiting.
 *
 * @param mostAttempts rows that were tried more often are left alone: they may be why the route failed
 */
export async function hurryRetries(
  tx: Tx,
  db: Database,
  key: RouteKey,
  mostAttempts?: number,
): Promise<void> {
  const { now, skipLocked } = db.dialect;
  await tx.rows(sql`
    with retries as materialized (
      select id from outbox_progress
      where status = 'pending' and destination = ${key.destination} and route = ${key.route}
        and available_at > ${now} and (attempts > 0 or last_error is not null)
        ${mostAttempts === undefined ? sql`` : sql`and attempts <= ${mostAttempts}`}
      limit ${MOST_HURRIED} ${skipLocked}
    )
    update outbox_progress set available_at = ${now} where id in (select id from retries) returning id`);
}
