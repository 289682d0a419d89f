import { and, or, sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { Destination } from "../db/vocabulary.ts";
import { accountOf, isOfAccount, isOperators, isRoute, lockRoutes, type RouteKey } from "./routes.ts";

/** Rows whose wait is cut short when a route may go again; more wait for their own time. */
const MOST_HURRIED = 10_000;

/**
 * Lets a route's rows go again at once, with a clean record, and so does away with the wait that its pixel or bot was
 * asked for. Answers whether there was anything to resume.
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
 * A pixel or a bot has a new token: whatever its routes were refused for may be over, and so may what a pool's events
 * wait for on the route of a pixel that it had before. What an operator paused stays so.
 */
export async function credentialChanged(
  tx: Tx,
  db: Database,
  id: string,
  { destination = "meta", poolId = null }: { destination?: Destination; poolId?: number | null } = {},
): Promise<void> {
  const holdsPools = sql`outbox_routes.destination = ${destination} and outbox_routes.paused_at is not null and exists (
    select 1 from outbox_progress as waits where waits.destination = outbox_routes.destination
      and waits.route = outbox_routes.route and waits.status = 'pending' and waits.pool_id = ${poolId})`;
  const account = isOfAccount(db, { destination, route: id });
  const refused = and(poolId === null ? account : or(account, holdsPools), sql`not ${isOperators(db)}`);
  await lockRoutes(tx, db, refused);
  await tx.delete(db.tables.outboxRoutes).where(refused);
  await tx.notify("outbox");
}

/**
 * Makes the route's rows due that wait because sending them failed, or they were told to wait: what they waited for is
 * over. A first hold, for what a browser has still to report, is none of that.
 *
 * @param mostAttempts leaves rows alone that were tried in vain more often: it may be them that fail
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
