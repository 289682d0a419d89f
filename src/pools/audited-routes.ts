import type { Database } from "../db/database.ts";
import { findHold } from "../outbox/holds.ts";
import { pauseRoute, type RouteKey, resumeRoute } from "../outbox/routes.ts";
import { recordAudit } from "./audit.ts";

interface RouteDeps {
  readonly db: Database;
  readonly now: () => Date;
}

/** Holds a route's rows back, with who did it, why, and what held it up until then in the audit log. */
export async function pauseRouteBy(
  { db, now }: RouteDeps,
  actor: string,
  key: RouteKey,
  reason: string,
): Promise<void> {
  await db.transaction(async (tx) => {
    const before = await findHold(tx, db, key, tx.nowMs());
    await pauseRoute(tx, db, key, reason);
    const after = await findHold(tx, db, key, tx.nowMs());
    await recordAudit(tx, db.tables, {
      at: now(),
      actor,
      action: "outbox.pause",
      subject: subjectOf(key),
      before,
      after,
    });
  });
}

/**
 * Lets a route's rows go again; the audit log keeps what had held them up, which the route forgets. Answers whether
 * there was anything to resume.
 */
export async function resumeRouteBy({ db, now }: RouteDeps, actor: string, key: RouteKey): Promise<boolean> {
  return db.transaction(async (tx) => {
    const before = await findHold(tx, db, key, tx.nowMs());
    const isResumed = await resumeRoute(tx, db, key);
    if (isResumed) {
      await recordAudit(tx, db.tables, {
        at: now(),
        actor,
        action: "outbox.resume",
        subject: subjectOf(key),
        before,
        after: { state: "free" },
      });
    }
    return isResumed;
  });
}

function subjectOf({ destination, route }: RouteKey): string {
  return `route:${destination}:${route}`;
}
