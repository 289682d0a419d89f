import { and, eq, sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { Destination } from "../db/define-schema.ts";

export interface RouteKey {
  readonly destination: Destination;
  readonly route: string;
}

/** What a request's outcome does to its route. */
export type RouteChange =
  | { readonly kind: "healthy"; readonly pauseMs: number | null }
  /** One more failure in a row; `restMs` opens the breaker. */
  | { readonly kind: "failed"; readonly failures: number; readonly restMs: number }
  | { readonly kind: "throttled"; readonly forMs: number }
  | { readonly kind: "paused"; readonly reason: string };

/** Writes down what happened to a route. A row comes into being with a route's first trouble. */
export async function changeRoute(tx: Tx, db: Database, key: RouteKey, change: RouteChange): Promise<void> {
  const { outboxRoutes } = db.tables;
  const { now, plusMs } = db.dialect;
  const values = () => {
    switch (change.kind) {
      case "healthy":
        return {
          failures: 0,
          openUntil: null,
          throttledUntil: change.pauseMs === null ? null : sql<Date>`${plusMs(now, change.pauseMs)}`,
        };
      case "failed":
        return {
          failures: change.failures,
          openUntil: change.restMs > 0 ? sql<Date>`${plusMs(now, change.restMs)}` : null,
        };
      case "throttled":
        return { throttledUntil: sql<Date>`${plusMs(now, change.forMs)}` };
      case "paused":
        return { pausedAt: sql<Date>`${now}`, pausedReason: change.reason };
    }
  };
  const set = { ...values(), updatedAt: sql<Date>`${now}` };
  await tx
    .insert(outboxRoutes)
    .values({ ...key, ...set })
    .onConflictDoUpdate({ target: [outboxRoutes.destination, outboxRoutes.route], set });
}

/** Holds a route's rows back until it is resumed. */
export async function pauseRoute(tx: Tx, db: Database, key: RouteKey, reason: string): Promise<void> {
  await changeRoute(tx, db, key, { kind: "paused", reason });
}

/** Lets a route's rows go again, with a clean record. Answers whether there was anything to resume. */
export async function resumeRoute(tx: Tx, db: Database, key: RouteKey): Promise<boolean> {
  const { outboxRoutes } = db.tables;
  const removed = await tx
    .delete(outboxRoutes)
    .where(and(eq(outboxRoutes.destination, key.destination), eq(outboxRoutes.route, key.route)))
    .returning({ id: outboxRoutes.id });
  await tx.notify("outbox");
  return removed.length > 0;
}

/** A pixel has a new token: whatever its routes were paused for may be over. */
export async function credentialChanged(tx: Tx, db: Database, pixelId: string): Promise<void> {
  const { outboxRoutes } = db.tables;
  await tx
    .delete(outboxRoutes)
    .where(
      and(
        eq(outboxRoutes.destination, "meta"),
        sql`(${outboxRoutes.route} = ${pixelId} or ${outboxRoutes.route} like ${`${pixelId}/%`})`,
      ),
    );
  await tx.notify("outbox");
}
