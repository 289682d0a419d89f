import { and, isNotNull, like, sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import type { Log } from "../platform/log.ts";
import { retryUntilSuccess } from "../platform/retry-until-success.ts";
import { OTHER_SECRET } from "../platform/secrets.ts";
import { isOperators, lockRoutes } from "./route-rows.ts";

/**
 * Lets routes go again that were paused because their token could not be opened: whoever starts a dispatcher anew may
 * have put `APP_SECRET` right. Where not, the next batch pauses its route again, before anything is sent.
 */
export async function resumeSealed(deps: {
  readonly db: Database;
  readonly log: Log;
  readonly stopping: AbortSignal;
}): Promise<void> {
  const { db, log } = deps;
  const { outboxRoutes } = db.tables;
  const isSealed = and(
    isNotNull(outboxRoutes.pausedAt),
    sql`not ${isOperators(db)}`,
    like(outboxRoutes.pausedReason, `%${OTHER_SECRET}%`),
  );
  const says = {
    failed: "routes whose tokens could not be opened stay paused; trying again every five seconds",
    worked: "routes whose tokens could not be opened have been looked after",
  };
  await retryUntilSuccess(deps, says, async () => {
    const resumed = await db.transaction(async (tx) => {
      await lockRoutes(tx, db, isSealed);
      const routes = await tx
        .update(outboxRoutes)
        .set({ pausedAt: null, pausedReason: null, pausedBy: null })
        .where(isSealed)
        .returning({ route: outboxRoutes.route });
      if (routes.length > 0) await tx.notify("outbox");
      return routes.map(({ route }) => route);
    });
    if (resumed.length > 0)
      log.info({ routes: resumed }, "routes whose tokens could not be opened are tried again");
  });
}
