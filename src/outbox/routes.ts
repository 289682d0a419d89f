import { and, eq, type SQL, sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { Destination, PausedBy } from "../db/vocabulary.ts";
import { BREAKER_THRESHOLD, breakerRestMs } from "./back-off.ts";

export interface RouteKey {
  readonly destination: Destination;
  readonly route: string;
}

/** How often in a row a route was told the same lately, when somebody looked. */
export interface Standing {
  /** Requests that failed. */
  readonly failures: number;
  /** Answers that asked for quiet. */
  readonly throttles: number;
  /** Refusals that nothing in the events explained. */
  readonly unexplained: number;
}

/** What a request's outcome does to its route. */
export type RouteChange =
  /**
   * It went through, or was refused for its events alone. `pauseMs`: the other side asks for quiet before the next one.
   * `unexplained`: whether it was one more refusal that nothing explains, or the end of such.
   */
  | {
      readonly kind: "healthy";
      readonly pauseMs: number | null;
      readonly unexplained: "more" | "same" | "none";
    }
  /** One more failure in a row; enough of them open the breaker. */
  | { readonly kind: "failed" }
  /** It is to slow down, and with it every other route of the same pixel or bot. */
  | { readonly kind: "throttled"; readonly forMs: number }
  /** It said nothing about the route: whoever asks next may. */
  | { readonly kind: "unknown" }
  /** An operator's pause and its reason stay, whatever the other side refuses meanwhile. */
  | { readonly kind: "paused"; readonly reason: string; readonly by: PausedBy };

/** Rows whose wait is cut short when a route may go again; more wait for their own time. */
const MOST_HURRIED = 10_000;

/** Writes down what happened to a route. A row comes into being with a route's first trouble. */
export async function changeRoute(tx: Tx, db: Database, key: RouteKey, change: RouteChange): Promise<void> {
  const { now, plusMs } = db.dialect;
  const inMs = (ms: number) => sql<Date>`${plusMs(now, ms)}`;
  switch (change.kind) {
    case "healthy": {
      const explained = change.unexplained === "none" ? { unexplained: 0 } : {};
      await putRoute(tx, db, key, { failures: 0, throttles: 0, openUntil: null, ...explained });
      if (change.unexplained === "more") await countOneMore(tx, db, key, "unexplained");
      if (change.pauseMs !== null)
        await putRoute(tx, db, accountOf(key), { throttledUntil: inMs(change.pauseMs) });
      return;
    }
    case "failed": {
      const failures = await countOneMore(tx, db, key, "failures");
      const restMs = breakerRestMs(failures);
      if (restMs > 0) await putRoute(tx, db, key, { openUntil: inMs(restMs) });
      return;
    }
    case "throttled":
      await countOneMore(tx, db, key, "throttles");
      // The other side answers, so that a probe it was would have got through: no need to rest as well.
      await putRoute(tx, db, key, { openUntil: null });
      await putRoute(tx, db, accountOf(key), { throttledUntil: inMs(change.forMs) });
      return;
    case "unknown":
      await tx.update(db.tables.outboxRoutes).set({ openUntil: null }).where(isRoute(db, key));
      return;
    case "paused":
      await putRoute(
        tx,
        db,
        key,
        { pausedAt: sql<Date>`${now}`, pausedReason: change.reason, pausedBy: change.by, openUntil: null },
        change.by === "refusal" ? sql`not ${isOperators(db)}` : undefined,
      );
      return;
  }
}

/**
 * The pixel or the bot of a route: `<id>` of `<id>/<lane>`. Whoever asks us to slow down means all that we send for it, so
 * that is written there, and every lane rests: for `waitingRoutes`, and for whoever looks at it or resumes it.
 */
export function accountOf({ destination, route }: RouteKey): RouteKey {
  return { destination, route: route.split("/", 1)[0] ?? route };
}

interface RouteColumns {
  readonly pausedAt?: SQL<Date>;
  readonly pausedReason?: string;
  readonly pausedBy?: PausedBy;
  readonly throttledUntil?: SQL<Date>;
  readonly openUntil?: SQL<Date> | null;
  readonly failures?: number;
  readonly throttles?: number;
  readonly unexplained?: number;
}

/**
 * A rest that is asked for is never made shorter: of requests under way together, the last answer may ask for the least.
 *
 * @param only narrows when a route that is known already is changed
 */
async function putRoute(
  tx: Tx,
  db: Database,
  key: RouteKey,
  columns: RouteColumns,
  only?: SQL,
): Promise<void> {
  const { outboxRoutes } = db.tables;
  const set = { ...columns, updatedAt: sql<Date>`${db.dialect.now}` };
  const { throttledUntil: known } = outboxRoutes;
  const later = sql<Date>`case when ${known} > excluded.throttled_until then ${known} else excluded.throttled_until end`;
  await tx
    .insert(outboxRoutes)
    .values({ destination: key.destination, route: key.route, ...set })
    .onConflictDoUpdate({
      target: [outboxRoutes.destination, outboxRoutes.route],
      set: { ...set, ...(columns.throttledUntil && { throttledUntil: later }) },
      ...(only && { setWhere: only }),
    });
}

/** Counted by the database, so that requests which fail at the same time all count. */
async function countOneMore(
  tx: Tx,
  db: Database,
  key: RouteKey,
  column: "failures" | "throttles" | "unexplained",
): Promise<number> {
  const { outboxRoutes } = db.tables;
  const updatedAt = sql<Date>`${db.dialect.now}`;
  const [route] = await tx
    .insert(outboxRoutes)
    .values({ destination: key.destination, route: key.route, [column]: 1, updatedAt })
    .onConflictDoUpdate({
      target: [outboxRoutes.destination, outboxRoutes.route],
      set: { [column]: sql`${outboxRoutes[column]} + 1`, updatedAt },
    })
    .returning({ counted: outboxRoutes[column] });
  return route?.counted ?? 1;
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

/**
 * Makes the route's rows due that wait because sending them failed, or they were told to wait: what they waited for is
 * over. A first hold, for what a browser has still to report, is none of that.
 */
export async function hurryRetries(tx: Tx, db: Database, key: RouteKey): Promise<void> {
  const { now, skipLocked } = db.dialect;
  await tx.rows(sql`
    with retries as materialized (
      select id from outbox_progress
      where status = 'pending' and destination = ${key.destination} and route = ${key.route}
        and available_at > ${now} and (attempts > 0 or last_error is not null)
      limit ${MOST_HURRIED} ${skipLocked}
    )
    update outbox_progress set available_at = ${now} where id in (select id from retries) returning id`);
}

/** Holds a route's rows back until it is resumed. */
export async function pauseRoute(tx: Tx, db: Database, key: RouteKey, reason: string): Promise<void> {
  await changeRoute(tx, db, key, { kind: "paused", reason, by: "operator" });
}

/**
 * Lets a route's rows go again at once, with a clean record, and so does away with the wait that its pixel or bot was
 * asked for. Answers whether there was anything to resume.
 */
export async function resumeRoute(tx: Tx, db: Database, key: RouteKey): Promise<boolean> {
  const { outboxRoutes } = db.tables;
  const account = accountOf(key);
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
 * A pixel or a bot has a new token: whatever its routes were refused for may be over. What an operator paused stays so.
 */
export async function credentialChanged(
  tx: Tx,
  db: Database,
  id: string,
  destination: Destination = "meta",
): Promise<void> {
  await tx
    .delete(db.tables.outboxRoutes)
    .where(and(isOfAccount(db, { destination, route: id }), sql`not ${isOperators(db)}`));
  await tx.notify("outbox");
}

/** Whether an operator paused the route. */
export function isOperators({ tables: { outboxRoutes } }: Database): SQL {
  const by = sql.raw(`'${"operator" satisfies PausedBy}'`);
  return sql`(${outboxRoutes.pausedAt} is not null and coalesce(${outboxRoutes.pausedBy}, '') = ${by})`;
}

function isRoute(db: Database, key: RouteKey): SQL | undefined {
  const { outboxRoutes } = db.tables;
  return and(eq(outboxRoutes.destination, key.destination), eq(outboxRoutes.route, key.route));
}

/** All routes of a pixel or a bot: `<id>` and `<id>/…`. */
function isOfAccount(
  { tables: { outboxRoutes } }: Database,
  { destination, route }: RouteKey,
): SQL | undefined {
  const isItOrLane = sql`(${outboxRoutes.route} = ${route} or ${outboxRoutes.route} like ${`${route}/%`})`;
  return and(eq(outboxRoutes.destination, destination), isItOrLane);
}
