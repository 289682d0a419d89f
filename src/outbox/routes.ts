import { and, eq, type SQL, sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { Destination } from "../db/define-schema.ts";
import { BREAKER_THRESHOLD, breakerRestMs } from "./back-off.ts";

export interface RouteKey {
  readonly destination: Destination;
  readonly route: string;
}

/** What a request's outcome does to its route. */
export type RouteChange =
  /** It went through. `pauseMs`: the other side asks for quiet before the next one. */
  | { readonly kind: "healthy"; readonly pauseMs: number | null }
  /** One more failure in a row; enough of them open the breaker. */
  | { readonly kind: "failed" }
  /** It is to slow down, and with it every other route of the same pixel or bot. */
  | { readonly kind: "throttled"; readonly forMs: number }
  | { readonly kind: "paused"; readonly reason: string };

/** Rows whose back-off is cut short when a route works again; more wait for their own time. */
const MOST_HURRIED = 10_000;

/** Writes down what happened to a route. A row comes into being with a route's first trouble. */
export async function changeRoute(tx: Tx, db: Database, key: RouteKey, change: RouteChange): Promise<void> {
  const { now, plusMs } = db.dialect;
  const inMs = (ms: number) => sql<Date>`${plusMs(now, ms)}`;
  switch (change.kind) {
    case "healthy": {
      await putRoute(tx, db, key, { failures: 0, openUntil: null });
      if (change.pauseMs !== null)
        await putRoute(tx, db, accountOf(key), { throttledUntil: inMs(change.pauseMs) });
      return;
    }
    case "failed": {
      const failures = await countFailure(tx, db, key);
      const restMs = breakerRestMs(failures);
      if (restMs > 0) await putRoute(tx, db, key, { openUntil: inMs(restMs) });
      return;
    }
    case "throttled":
      // The other side answers, so that a probe it was would have got through: no need to rest as well.
      await putRoute(tx, db, key, { openUntil: null });
      await putRoute(tx, db, accountOf(key), { throttledUntil: inMs(change.forMs) });
      return;
    case "paused":
      await putRoute(tx, db, key, {
        pausedAt: sql<Date>`${now}`,
        pausedReason: change.reason,
        openUntil: null,
      });
      return;
  }
}

/**
 * The pixel or the bot of a route: `<id>` of `<id>/<lane>`. Whoever asks us to slow down means all that we send for it, so
 * that is written there, and `waitingRoutes` has every lane rest.
 */
function accountOf({ destination, route }: RouteKey): RouteKey {
  return { destination, route: route.split("/", 1)[0] ?? route };
}

interface RouteColumns {
  readonly pausedAt?: SQL<Date>;
  readonly pausedReason?: string;
  readonly throttledUntil?: SQL<Date>;
  readonly openUntil?: SQL<Date> | null;
  readonly failures?: number;
}

async function putRoute(tx: Tx, db: Database, key: RouteKey, columns: RouteColumns): Promise<void> {
  const { outboxRoutes } = db.tables;
  const set = { ...columns, updatedAt: sql<Date>`${db.dialect.now}` };
  await tx
    .insert(outboxRoutes)
    .values({ destination: key.destination, route: key.route, ...set })
    .onConflictDoUpdate({ target: [outboxRoutes.destination, outboxRoutes.route], set });
}

/** Counted by the database, so that requests which fail at the same time all count. */
async function countFailure(tx: Tx, db: Database, key: RouteKey): Promise<number> {
  const { outboxRoutes } = db.tables;
  const updatedAt = sql<Date>`${db.dialect.now}`;
  const [route] = await tx
    .insert(outboxRoutes)
    .values({ destination: key.destination, route: key.route, failures: 1, updatedAt })
    .onConflictDoUpdate({
      target: [outboxRoutes.destination, outboxRoutes.route],
      set: { failures: sql`${outboxRoutes.failures} + 1`, updatedAt },
    })
    .returning({ failures: outboxRoutes.failures });
  return route?.failures ?? 1;
}

/**
 * Takes the right to probe a route whose breaker opened; false where another dispatcher is probing it or it still
 * rests. The right is held for `forMs`, or until the probe's outcome is written down.
 */
export async function takeProbe(tx: Tx, db: Database, key: RouteKey, forMs: number): Promise<boolean> {
  const { outboxRoutes } = db.tables;
  const { now, plusMs } = db.dialect;
  const taken = await tx
    .update(outboxRoutes)
    .set({ openUntil: sql<Date>`${plusMs(now, forMs)}` })
    .where(
      and(
        isRoute(db, key),
        sql`${outboxRoutes.failures} >= ${BREAKER_THRESHOLD}`,
        sql`(${outboxRoutes.openUntil} is null or ${outboxRoutes.openUntil} <= ${now})`,
      ),
    )
    .returning({ id: outboxRoutes.id });
  return taken.length > 0;
}

/** After an outage, nobody need wait out the back-off that it caused: makes the route's rows due. */
export async function hurryRetries(tx: Tx, db: Database, key: RouteKey): Promise<void> {
  const { now, skipLocked } = db.dialect;
  await tx.rows(sql`
    with retries as materialized (
      select id from outbox
      where status = 'pending' and destination = ${key.destination} and route = ${key.route}
        and available_at > ${now} and attempts > 0
      limit ${MOST_HURRIED} ${skipLocked}
    )
    update outbox set available_at = ${now} where id in (select id from retries) returning id`);
}

/** Holds a route's rows back until it is resumed. */
export async function pauseRoute(tx: Tx, db: Database, key: RouteKey, reason: string): Promise<void> {
  await changeRoute(tx, db, key, { kind: "paused", reason });
}

/** Lets a route's rows go again, with a clean record. Answers whether there was anything to resume. */
export async function resumeRoute(tx: Tx, db: Database, key: RouteKey): Promise<boolean> {
  const { outboxRoutes } = db.tables;
  const removed = await tx.delete(outboxRoutes).where(isRoute(db, key)).returning({ id: outboxRoutes.id });
  await tx.notify("outbox");
  return removed.length > 0;
}

/** A pixel or a bot has a new token: whatever its routes, `<id>` and `<id>/…`, were paused for may be over. */
export async function credentialChanged(
  tx: Tx,
  db: Database,
  id: string,
  destination: Destination = "meta",
): Promise<void> {
  const { outboxRoutes } = db.tables;
  const isConcerned = sql`(${outboxRoutes.route} = ${id} or ${outboxRoutes.route} like ${`${id}/%`})`;
  await tx.delete(outboxRoutes).where(and(eq(outboxRoutes.destination, destination), isConcerned));
  await tx.notify("outbox");
}

function isRoute(db: Database, key: RouteKey): SQL | undefined {
  const { outboxRoutes } = db.tables;
  return and(eq(outboxRoutes.destination, key.destination), eq(outboxRoutes.route, key.route));
}
