import type { Tx } from "../db/database.ts";
import type { Destination, OutboxStatus, Tables } from "../db/define-schema.ts";
import { validateEvent } from "../meta/event-limits.ts";

/** One thing to be sent, as the business transaction that it reports writes it down. */
export interface OutboxEntry {
  readonly destination: Destination;
  /** `metaRoute(…)` at Meta, the bot's id at Telegram. */
  readonly route: string;
  readonly eventName: string;
  /** Unique per destination: the same event enqueued twice is there once. */
  readonly eventId: string;
  readonly payload: object;
  readonly poolId?: number | null;
  readonly trackingToken?: string | null;
  readonly paymentId?: string | null;
  /** The person in a bot whom it tells of, or is sent to. */
  readonly botUserId?: number | null;
  /** Milliseconds before it may leave; 0 or absent: at once. */
  readonly holdMs?: number;
}

/**
 * Writes entries into the outbox, inside the transaction of what they report. Answers, in order, whether each
 * went in; false means that its event was there already. Dispatchers are woken where something may leave at once.
 */
export async function enqueue(tx: Tx, tables: Tables, entries: readonly OutboxEntry[]): Promise<boolean[]> {
  if (entries.length === 0) return [];
  // The database's time: a web process whose own clock is off delays nothing and lets nothing go early.
  const createdAt = new Date(tx.nowMs());
  // A PageView knows of nobody yet: the column is written only where some entry fills it.
  const namesPeople = entries.some(({ botUserId }) => botUserId !== undefined && botUserId !== null);
  const rows = entries.map((entry) => ({
    ...fate(entry, createdAt),
    destination: entry.destination,
    route: entry.route,
    eventName: entry.eventName,
    eventId: entry.eventId,
    poolId: entry.poolId ?? null,
    trackingToken: entry.trackingToken ?? null,
    paymentId: entry.paymentId ?? null,
    ...(namesPeople && { botUserId: entry.botUserId ?? null }),
    payload: entry.payload,
    availableAt: entry.holdMs ? new Date(createdAt.getTime() + entry.holdMs) : createdAt,
    createdAt,
  }));
  const inserted = await tx.insertMany(tables.outbox, "eventId", rows);
  const mayLeave = rows.some(
    (row, i) => inserted[i] && row.status === "pending" && row.availableAt === createdAt,
  );
  if (mayLeave) await tx.notify("outbox");
  return inserted;
}

/**
 * An event that Meta is certain to refuse is written down as dead at once, with the reason: it is seen, and it
 * takes no good neighbour's request down with it.
 */
function fate(entry: OutboxEntry, now: Date): { status: OutboxStatus; lastError: string | null } {
  if (entry.destination !== "meta") return { status: "pending", lastError: null };
  const check = validateEvent(entry.payload, now);
  switch (check.kind) {
    case "ok":
      return { status: "pending", lastError: null };
    case "invalid":
      return { status: "dead", lastError: `not sent: ${check.reason}` };
    case "expired":
      return { status: "expired", lastError: "not sent: older than seven days" };
  }
}

/** What is sent together at Meta: a pixel's events, apart by test code. */
export function metaRoute(pixelId: string, testEventCode: string | null): string {
  return testEventCode ? `${pixelId}/${testEventCode}` : pixelId;
}
