import { and, desc, eq, type SQL, sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { Dialect } from "../db/dialect.ts";
import type { PausedBy } from "../db/vocabulary.ts";
import { formatRoute, LANE_MARK, type RouteKey } from "./routes.ts";

/** The account of a route's name, in SQL. */
export function accountIn({ upTo }: Dialect, route: SQL): SQL {
  return upTo(route, sql.raw(`'${LANE_MARK}'`));
}

/** Whether an operator paused the route. */
export function isOperators({ tables: { outboxRoutes } }: Database): SQL {
  const by = sql.raw(`'${"operator" satisfies PausedBy}'`);
  return sql`(${outboxRoutes.pausedAt} is not null and coalesce(${outboxRoutes.pausedBy}, '') = ${by})`;
}

/** Of `outbox_routes`, the route's row. */
export function isRoute(db: Database, key: RouteKey): SQL | undefined {
  const { outboxRoutes } = db.tables;
  return and(eq(outboxRoutes.destination, key.destination), eq(outboxRoutes.route, key.route));
}

/** Of `outbox_routes`, the rows of a pixel or a bot and all its lanes. */
export function isOfAccount(
  { tables: { outboxRoutes } }: Database,
  { destination, route }: RouteKey,
): SQL | undefined {
  const isItOrLane = sql`(${outboxRoutes.route} = ${route} or ${outboxRoutes.route} like ${formatRoute(route, "%")})`;
  return and(eq(outboxRoutes.destination, destination), isItOrLane);
}

/** Locks lanes before their pixel or bot, as `changeRoute` does: in different orders two would wait for each other. */
export function lockRoutes(tx: Tx, { dialect, tables: { outboxRoutes } }: Database, which: SQL | undefined) {
  return dialect.locked(
    tx
      .select({ id: outboxRoutes.id })
      .from(outboxRoutes)
      .where(which)
      .orderBy(desc(outboxRoutes.route), outboxRoutes.destination),
  );
}
