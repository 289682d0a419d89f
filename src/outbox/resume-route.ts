import { and, eq, or, type SQL, sql } from "drizzle-orm";
import type { Database, Reader, Tx } from "../db/database.ts";
import { makePieceDue, makeRetriesDue } from "./make-retries-due.ts";
import { accountIn, isOfAccount, isOperators, isRoute, lockRoutes } from "./route-rows.ts";
import { accountOf, formatRoute, type RouteKey } from "./routes.ts";

/**
 * Makes due what is to go once the route is resumed, while it is still held up: whatever ends this in the midst, there is
 * something to resume, and resuming again goes on with it.
 */
export async function makeDueBeforeResuming(db: Database, key: RouteKey): Promise<void> {
  for (const route of await resumedTogether(db, db, key)) await makeRetriesDue(db, route);
}

/**
 * Ends whatever holds a route up: its pause, its rest after failures, and the wait that the other side asked its pixel or
 * bot for, with which the pixel's or bot's other routes go again too. Answers whether there was anything to end.
 */
export async function resumeRoute(tx: Tx, db: Database, key: RouteKey): Promise<boolean> {
  const { outboxRoutes } = db.tables;
  const account = accountOf(key);
  await lockRoutes(tx, db, or(isRoute(db, key), isRoute(db, account)));
  const resumed = await resumedTogether(tx, db, key);
  if (resumed.length === 0) return false;
  await tx.update(outboxRoutes).set({ throttledUntil: null }).where(isRoute(db, account));
  await tx.delete(outboxRoutes).where(isRoute(db, key));
  // What was put off since `makeDueBeforeResuming`.
  for (const route of resumed) await makePieceDue(tx, db, route);
  await tx.notify("outbox");
  return true;
}

/** The routes that go again when this one is resumed; none where nothing holds it up. */
async function resumedTogether(reader: Reader, db: Database, key: RouteKey): Promise<RouteKey[]> {
  const { outboxRoutes } = db.tables;
  const account = accountOf(key);
  const rows = await reader
    .select({
      route: outboxRoutes.route,
      isThrottled: sql<unknown>`${outboxRoutes.throttledUntil} > ${db.dialect.now}`,
    })
    .from(outboxRoutes)
    .where(isOfAccount(db, account));
  const isLifted = rows.some(({ route, isThrottled }) => route === account.route && Boolean(isThrottled));
  const known = rows.map(({ route }) => route);
  if (!isLifted && !known.includes(key.route)) return [];
  const together = isLifted ? new Set([key.route, ...known]) : [key.route];
  return Array.from(together, (route) => ({ ...key, route }));
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
  await forgetRefusals(tx, db, isOfAccount(db, { destination: "telegram", route: formatRoute(botId, null) }));
}

async function forgetRefusals(tx: Tx, db: Database, which: SQL | undefined): Promise<void> {
  const refused = and(which, sql`not ${isOperators(db)}`);
  await lockRoutes(tx, db, refused);
  await tx.delete(db.tables.outboxRoutes).where(refused);
  await tx.notify("outbox");
}

/** Meta's routes of pixels that no pool holds a token for: their pools have another pixel by now, or none. */
function isNoPoolsPixel({ dialect, tables: { outboxRoutes, pools } }: Database): SQL | undefined {
  const pixel = accountIn(dialect, sql`${outboxRoutes.route}`);
  const held = sql`select ${pools.metaPixelId} from ${pools}
    where ${pools.metaPixelId} is not null and ${pools.metaAccessToken} is not null`;
  return and(eq(outboxRoutes.destination, "meta"), sql`${pixel} not in (${held})`);
}
