import { and, type SQL, sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { PausedBy } from "../db/vocabulary.ts";
import { BREAKER_THRESHOLD, breakerRestMs, LONGEST_OPEN_MS } from "./back-off.ts";
import { isOperators, isRoute } from "./route-rows.ts";
import { accountOf, type RouteKey } from "./routes.ts";

/** What a request's outcome does to its route. */
export type RouteChange =
  /**
   * It went through, or was refused for its events alone. `pauseMs`: the other side asks to slow down before the next one.
   * `unexplained`: whether it was one more refusal that nothing explains, or the end of such.
   */
  | {
      readonly kind: "healthy";
      readonly pauseMs: number | null;
      readonly unexplained: "more" | "same" | "none";
    }
  /** One more failure in a row; enough of them open the breaker. */
  | { readonly kind: "failed" }
  /** It is to slow down, and with it every other route of the same pixel or bot; null: only the request's rows are. */
  | { readonly kind: "throttled"; readonly forMs: number | null }
  /** It said nothing about the route: whoever asks next may. */
  | { readonly kind: "unknown" }
  /** An operator's pause and its reason stay, whatever the other side refuses meanwhile. */
  | { readonly kind: "paused"; readonly reason: string; readonly by: PausedBy };

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
      if (change.forMs !== null)
        await putRoute(tx, db, accountOf(key), { throttledUntil: inMs(change.forMs) });
      return;
    case "unknown":
      await tx.update(db.tables.outboxRoutes).set({ openUntil: null }).where(isRoute(db, key));
      return;
    case "paused":
      await putRoute(tx, db, key, {
        pausedAt: sql<Date>`${now}`,
        pausedReason: change.reason,
        pausedBy: change.by,
        openUntil: null,
      });
      return;
  }
}

/** Holds a route's rows back until it is resumed. */
export async function pauseRoute(tx: Tx, db: Database, key: RouteKey, reason: string): Promise<void> {
  await changeRoute(tx, db, key, { kind: "paused", reason, by: "operator" });
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
 * A rest that is asked for is never made shorter: of requests under way together, the last answer may ask for the
 * least. And a refusal takes no operator's pause over.
 */
async function putRoute(tx: Tx, db: Database, key: RouteKey, columns: RouteColumns): Promise<void> {
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
      ...(columns.pausedBy === "refusal" && { setWhere: sql`not ${isOperators(db)}` }),
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
        sql`(${outboxRoutes.openUntil} is null or ${outboxRoutes.openUntil} <= ${now}
          or ${outboxRoutes.openUntil} > ${plusMs(now, LONGEST_OPEN_MS)})`,
      ),
    )
    .returning({ id: outboxRoutes.id });
  return taken.length > 0;
}
