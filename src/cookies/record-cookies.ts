import { sql } from "drizzle-orm";
import type { Database, RawNumber, Tx } from "../db/database.ts";
import { preparedStatement } from "../db/prepared-statement.ts";
import { withLimitedDataUse } from "../meta/event.ts";
import { pageViewEvent } from "../meta/page-view.ts";
import { mergeCookies } from "../tracking/meta-cookies.ts";
import { type ReportedSession, type Session, sessionFacts } from "../tracking/session.ts";
import type { BrowserReport } from "./report.ts";

/** What of a visit its cookies and its PageView depend on. */
interface KnownVisit extends ReportedSession, Pick<Session, "id" | "fbcOrigin"> {
  /** Whether its browser has reported before, which released the PageView. */
  readonly isReleased: boolean;
  readonly poolName: string;
  readonly poolSlug: string;
  /** Its PageView's number in the outbox; null where Meta is told nothing. */
  readonly pageViewId: number | null;
}

/**
 * Merges browsers' reports into their sessions, writes the still-pending PageViews anew with what was learnt,
 * and releases them for sending. A report for a token that nobody knows changes nothing, nor does one for a visit
 * that was erased, nor one that says again what is known.
 * Resolves to whether anything was written.
 */
export async function recordCookies(
  tx: Tx,
  db: Database,
  reports: readonly BrowserReport[],
): Promise<boolean> {
  const tokens = new Set(reports.map(({ trackingToken }) => trackingToken));
  const known = await findVisits(tx, db, [...tokens]);
  const merged = new Map(known.map((visit) => [visit.trackingToken, visit]));
  for (const { trackingToken, report } of reports) {
    const visit = merged.get(trackingToken);
    if (visit) merged.set(trackingToken, { ...visit, ...mergeCookies(visit, report) });
  }
  const changed = known.flatMap((before) => {
    const after = merged.get(before.trackingToken);
    return after && (!before.isReleased || isNews(before, after)) ? [after] : [];
  });
  if (changed.length === 0) return false;
  const { sessions, outboxEvents } = db.tables;
  const now = new Date(tx.nowMs());
  await tx.updateMany(
    sessions,
    ["id"],
    changed.map(({ id, fbc, fbcOrigin, fbp, fbi }) => ({
      id,
      fbc,
      fbcOrigin,
      fbp,
      fbi,
      cookiesAt: now,
      updatedAt: now,
    })),
  );
  const released = await releasePageViews(tx, db, changed);
  await tx.updateMany(
    outboxEvents,
    ["id"],
    changed.flatMap((visit) =>
      visit.pageViewId !== null && released.has(visit.pageViewId)
        ? [{ id: visit.pageViewId, payload: pageViewPayload(visit) }]
        : [],
    ),
  );
  await tx.notify("outbox");
  return true;
}

/** Answers the ids of those that still wait; no dispatcher takes them before the transaction ends. */
async function releasePageViews(
  tx: Tx,
  { dialect }: Database,
  visits: readonly KnownVisit[],
): Promise<Set<number>> {
  const ids = visits.flatMap(({ pageViewId }) => (pageViewId === null ? [] : [pageViewId]));
  const rows = await tx.rows<{ id: RawNumber }>(RELEASED(dialect), { ids: dialect.idList(ids) });
  return new Set(rows.map(({ id }) => Number(id)));
}

/**
 * A PageView that already failed waits for its back-off, not for the browser; it hears what the browser says all the same.
 * Locked by number, as by who retries or erases events: never crosswise.
 */
const RELEASED = preparedStatement(({ now, anyId, idAmong, lockedOf }) => {
  const waiting = sql`
    select id from outbox_progress where ${anyId(sql`id`, sql.placeholder("ids"))} and status = 'pending'
    order by id ${lockedOf(sql`outbox_progress`)}`;
  return sql`
    update outbox_progress set available_at = case when attempts = 0 then ${now} else available_at end
    where ${idAmong(sql`id`, waiting)} returning id`;
});

/**
 * Locked, because what is read is written back: another process may hear of the same visit, or erase it. Always in the
 * same order, so that two processes never lock crosswise; not the pools, which visits are counted on.
 */
async function findVisits(tx: Tx, { dialect }: Database, tokens: readonly string[]): Promise<KnownVisit[]> {
  const rows = await tx.rows<KnownRow>(KNOWN(dialect), { tokens: dialect.textList(tokens) });
  return rows.map(({ id, pageViewId, pageviewMs, cookiesAtMs, ...row }) => ({
    ...row,
    id: Number(id),
    pageViewId: pageViewId === null ? null : Number(pageViewId),
    pageviewTs: new Date(pageviewMs),
    isReleased: cookiesAtMs !== null,
  }));
}

/** A row of `KNOWN`. */
interface KnownRow extends Omit<KnownVisit, "id" | "pageViewId" | "pageviewTs" | "isReleased"> {
  readonly id: RawNumber;
  readonly pageViewId: RawNumber | null;
  readonly pageviewMs: number;
  readonly cookiesAtMs: number | null;
}

const KNOWN = preparedStatement(
  ({ anyText, epochMs, lockedOf }) => sql`
    select session.id, session.tracking_token as "trackingToken", root_event_id as "rootEventId", fbclid, fbc,
      fbc_origin as "fbcOrigin", fbp, fbi, ${epochMs(sql`cookies_at`)} as "cookiesAtMs", client_ip as "clientIp",
      user_agent as "userAgent", event_source_url as "eventSourceUrl", utm_source as "utmSource",
      utm_campaign as "utmCampaign", utm_medium as "utmMedium", utm_content as "utmContent", utm_term as "utmTerm",
      ${epochMs(sql`pageview_ts`)} as "pageviewMs", consent, pools.name as "poolName", pools.slug as "poolSlug",
      page_view.id as "pageViewId"
    from meta_tracking_sessions session join pools on pools.id = session.pool_id
      left join outbox_events page_view
        on page_view.event_id = session.root_event_id and page_view.destination = 'meta'
    where ${anyText(sql`session.tracking_token`, sql.placeholder("tokens"))} and consent is distinct from 'erased'
    order by session.tracking_token ${lockedOf(sql`session`)}`,
);

function isNews(before: KnownVisit, after: KnownVisit): boolean {
  return (
    before.fbc !== after.fbc ||
    before.fbcOrigin !== after.fbcOrigin ||
    before.fbp !== after.fbp ||
    before.fbi !== after.fbi
  );
}

/** Of somebody who denied consent there is a PageView only where the operator reports it under Limited Data Use. */
function pageViewPayload(visit: KnownVisit) {
  const event = pageViewEvent(sessionFacts(visit), { name: visit.poolName, slug: visit.poolSlug });
  return visit.consent === "denied" ? withLimitedDataUse(event) : event;
}
