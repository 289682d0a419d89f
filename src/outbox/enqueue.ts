import type { Tx } from "../db/database.ts";
import type { Destination, Tables } from "../db/define-schema.ts";

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
  /** Milliseconds before it may leave; 0 or absent: at once. */
  readonly holdMs?: number;
}

/**
 * Writes entries into the outbox, inside the transaction of what they report. Answers, in order, whether each
 * went in; false means that its event was there already. Dispatchers are woken where something may leave at once.
 */
export async function enqueue(
  tx: Tx,
  tables: Tables,
  entries: readonly OutboxEntry[],
): Promise<boolean[]> {
  if (entries.length === 0) return [];
  const nowMs = Date.now();
  const createdAt = new Date(nowMs);
  const inserted = await tx.insertMany(
    tables.outbox,
    "eventId",
    entries.map((entry) => ({
      destination: entry.destination,
      route: entry.route,
      eventName: entry.eventName,
      eventId: entry.eventId,
      poolId: entry.poolId ?? null,
      trackingToken: entry.trackingToken ?? null,
      paymentId: entry.paymentId ?? null,
      payload: entry.payload,
      availableAt: entry.holdMs ? new Date(nowMs + entry.holdMs) : createdAt,
      createdAt,
    })),
  );
  if (entries.some((entry, i) => inserted[i] && !entry.holdMs)) await tx.notify("outbox");
  return inserted;
}

/** What is sent together at Meta: a pixel's events, apart by test code. */
export function metaRoute(pixelId: string, testEventCode: string | null): string {
  return testEventCode ? `${pixelId}/${testEventCode}` : pixelId;
}
