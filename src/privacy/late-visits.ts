import { and, inArray, isNotNull, like, sql } from "drizzle-orm";
import { recordAudit } from "../audit/audit-log.ts";
import type { Database } from "../db/database.ts";
import type { Spool } from "../db/spool/spool.ts";
import { eventIdsOfVisit } from "../meta/event-ids.ts";
import { isErased } from "../outbox/erased.ts";
import { inChunks } from "./chunks.ts";
import type { ErasureDeps } from "./erase.ts";
import { NOTHING } from "./erasure.ts";
import { eraseEvents } from "./outbox-events.ts";
import { ERASED_USER, eraseSessions, findSessions } from "./rows.ts";
import { ownersOf } from "./visit-owners.ts";

interface LateVisitDeps extends Omit<ErasureDeps, "spool"> {
  readonly spool: Pick<Spool, "wasForgotten">;
}

/**
 * Visits have come into the database late, out of a spool. Those of people who were erased meanwhile, which no erasure
 * could find on another machine's disk, go as they would have gone with the rest; and so do those that were erased on this
 * one's while they were being brought in.
 */
export async function eraseLateVisits(deps: LateVisitDeps, trackingTokens: readonly string[]): Promise<void> {
  const forgotten = trackingTokens.filter((token) => deps.spool.wasForgotten(token));
  const ofErased = await visitsOfErased(deps.db, trackingTokens);
  const tokens = [...new Set([...forgotten, ...ofErased])];
  for (const visit of await findSessions(deps.db, { tokens })) await eraseVisit(deps, visit);
}

/** The visit alone: whoever came by its link since is a stranger, and what they have done stays theirs. */
async function eraseVisit(
  { db, trackingStore, now }: LateVisitDeps,
  { id, trackingToken: token }: { readonly id: number; readonly trackingToken: string },
): Promise<void> {
  const { tables } = db;
  const { outbox } = tables;
  const copies = await trackingStore.forget([token]);
  await db.transaction(async (tx) => {
    // The visit before its events, as where a browser reports: never crosswise.
    await eraseSessions(tx, db, [id], now());
    const events = await tx
      .select({ id: outbox.id, status: outbox.status })
      .from(outbox)
      .where(and(inArray(outbox.eventId, eventIdsOfVisit(token)), sql`not ${isErased(db)}`));
    const ids = events.map(({ id }) => id);
    if (ids.length > 0) await eraseEvents(tx, db, ids);
    const { dry_run: _, ...nothing } = NOTHING;
    const unsent = events.filter(({ status }) => status !== "delivered").length;
    await recordAudit(tx, tables, {
      at: now(),
      actor: "spool",
      action: "privacy.erase",
      subject: `session:${token}`,
      after: { ...nothing, sessions: 1, outbox: events.length, unsent, copies },
    });
  });
}

/** Whose start came first was erased; or, where nobody started with it, who paid. */
async function visitsOfErased(db: Database, tokens: readonly string[]): Promise<string[]> {
  const { botUsers, payments } = db.tables;
  const owners = await ownersOf(db, tokens);
  const ids = [...owners.values()].flatMap(({ botUserId }) => botUserId ?? []);
  const erased = await inChunks(ids, (some) =>
    db
      .select({ id: botUsers.id })
      .from(botUsers)
      .where(and(inArray(botUsers.id, some), like(botUsers.telegramUserId, `${ERASED_USER}%`))),
  );
  const erasedIds = new Set(erased.map(({ id }) => id));
  const unowned = tokens.filter((token) => !owners.has(token));
  const paid = await inChunks(unowned, (some) =>
    db
      .selectDistinct({ token: payments.trackingToken })
      .from(payments)
      .where(and(inArray(payments.trackingToken, some), isNotNull(payments.erasedAt))),
  );
  return [
    ...[...owners].flatMap(([token, { botUserId }]) =>
      botUserId !== null && erasedIds.has(botUserId) ? [token] : [],
    ),
    ...paid.flatMap(({ token }) => token ?? []),
  ];
}
