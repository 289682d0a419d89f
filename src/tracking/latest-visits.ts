import { and, desc, eq, inArray, lt } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { isOneOf } from "../db/dialect.ts";
import type { OutboxStatus } from "../db/vocabulary.ts";
import { pageViewId } from "../meta/event-ids.ts";
import { isTrackingToken } from "./tracking-token.ts";

/** One line of the list of visits. */
interface VisitSummary {
  readonly trackingToken: string;
  readonly at: Date;
  /** Null where the pool was removed. */
  readonly poolSlug: string | null;
  readonly source: string | null;
  readonly campaign: string | null;
  readonly hasCookies: boolean;
  /** How far its PageView is; null where there is none, or none any more. */
  readonly pageView: OutboxStatus | null;
  /** The Telegram user whom the visit led to the bot. */
  readonly telegramUserId: string | null;
}

/**
 * The newest visits, newest first. Tokens begin with their time, so the unique index is the order.
 *
 * @param before only visits older than this token's; anything that is no token is ignored
 */
export async function latestVisits(
  db: Database,
  { limit, before }: { readonly limit: number; readonly before: string | null },
): Promise<VisitSummary[]> {
  const { sessions, pools } = db.tables;
  const older = before !== null && isTrackingToken(before) ? lt(sessions.trackingToken, before) : undefined;
  const rows = await db
    .select({
      trackingToken: sessions.trackingToken,
      at: sessions.pageviewTs,
      poolSlug: pools.slug,
      source: sessions.utmSource,
      campaign: sessions.utmCampaign,
      cookiesAt: sessions.cookiesAt,
      telegramUserId: sessions.userExternalId,
    })
    .from(sessions)
    .leftJoin(pools, eq(pools.id, sessions.poolId))
    .where(older)
    .orderBy(desc(sessions.trackingToken))
    .limit(limit);
  const pageViews = await statusOf(
    db,
    rows.map(({ trackingToken }) => pageViewId(trackingToken)),
  );
  return rows.map(({ cookiesAt, ...row }) => ({
    ...row,
    hasCookies: cookiesAt !== null,
    pageView: pageViews.get(pageViewId(row.trackingToken)) ?? null,
  }));
}

/** How far events for Meta are, by their event id. */
async function statusOf(db: Database, eventIds: readonly string[]): Promise<Map<string, OutboxStatus>> {
  const { outboxEvents, outboxProgress } = db.tables;
  const events = await db
    .select({ id: outboxEvents.id, eventId: outboxEvents.eventId })
    .from(outboxEvents)
    .where(and(inArray(outboxEvents.eventId, [...eventIds]), eq(outboxEvents.destination, "meta")));
  const nameOf = new Map(events.map(({ id, eventId }) => [id, eventId]));
  const rows = await db
    .select({ id: outboxProgress.id, status: outboxProgress.status })
    .from(outboxProgress)
    .where(isOneOf(db, outboxProgress.id, [...nameOf.keys()]));
  return new Map(rows.map(({ id, status }) => [nameOf.get(id) ?? "", status]));
}
