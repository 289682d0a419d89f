import { and, eq } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { CHECKOUT_PROVIDERS } from "../db/vocabulary.ts";
import { pauseRoute } from "../outbox/change-route.ts";
import { findHold } from "../outbox/holds.ts";
import { makeDueBeforeResuming, resumeRoute } from "../outbox/resume-route.ts";
import { parseRoute, type RouteKey } from "../outbox/routes.ts";
import { recordAudit } from "./audit-log.ts";

interface RouteDeps {
  readonly db: Database;
  readonly now: () => Date;
}

/**
 * Holds a route's rows back, with who did it, why, and what held it up until then in the audit log. Answers whether
 * there is such a route: a mistyped one would hold nothing back, and look as if it did.
 */
export async function pauseRouteBy(
  { db, now }: RouteDeps,
  actor: string,
  key: RouteKey,
  reason: string,
): Promise<boolean> {
  return db.transaction(async (tx) => {
    if (!(await isKnownRoute(tx, db, key))) return false;
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
    return true;
  });
}

/**
 * Lets a route's rows go again; the audit log keeps what had held them up, which the route forgets. Answers whether
 * there was anything to resume.
 */
export async function resumeRouteBy({ db, now }: RouteDeps, actor: string, key: RouteKey): Promise<boolean> {
  await makeDueBeforeResuming(db, key);
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
        after: { state: "ready" },
      });
    }
    return isResumed;
  });
}

/** Whether a pixel or a bot sends by this route, or an event of one that did waits on it. */
async function isKnownRoute(tx: Tx, { tables }: Database, key: RouteKey): Promise<boolean> {
  const { account, lane } = parseRoute(key.route);
  const senders =
    key.destination === "meta" ? pixelsOf(tx, tables, account, lane) : botsOf(tx, tables, account, lane);
  if ((await senders) > 0) return true;
  const { destination, route, status } = tables.outboxProgress;
  const isWaiting = and(eq(status, "pending"), eq(destination, key.destination), eq(route, key.route));
  const waiting = await tx.select({ route }).from(tables.outboxProgress).where(isWaiting).limit(1);
  return waiting.length > 0;
}

async function pixelsOf(tx: Tx, { pools }: Tables, pixelId: string, testCode: string | null) {
  const hasCode = testCode === null ? undefined : eq(pools.metaTestEventCode, testCode);
  return tx.$count(pools, and(eq(pools.metaPixelId, pixelId), hasCode));
}

async function botsOf(tx: Tx, { bots }: Tables, number: string, provider: string | null) {
  const isLane = provider === null || CHECKOUT_PROVIDERS.includes(provider);
  return isLane && /^[1-9]\d{0,14}$/.test(number) ? tx.$count(bots, eq(bots.id, Number(number))) : 0;
}

function subjectOf({ destination, route }: RouteKey): string {
  return `route:${destination}:${route}`;
}
