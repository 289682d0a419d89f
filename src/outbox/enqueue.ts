import type { Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import type { Destination, OutboxStatus } from "../db/vocabulary.ts";
import { validateEvent } from "../meta/event-limits.ts";
import { notInFuture } from "../meta/event-time.ts";

/** One thing to be sent, as the business transaction that it reports writes it down. */
export interface OutboxEntry {
  readonly destination: Destination;
  /** What is sent together: a pixel's events, apart by test code; a bot's messages, apart by payment provider. */
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
  const nowMs = tx.nowMs();
  const rows = outboxRows(entries, nowMs);
  const inserted = await tx.insertSplit(outboxTable(tables), rows);
  if (rows.some((row, i) => inserted[i] && mayLeaveAt(row, nowMs))) await tx.notify("outbox");
  return inserted;
}

/** The two tables that an event lies in, to be written. */
export function outboxTable({ outboxEvents, outboxProgress }: Tables) {
  return { head: outboxEvents, tail: outboxProgress, key: ["eventId", "destination"] };
}

type NewOutboxRow = ReturnType<typeof outboxRow> & { readonly botUserId?: number | null };

/**
 * The rows that entries become.
 *
 * @param nowMs the database's time: a web process whose own clock is off delays nothing and lets nothing go early
 */
export function outboxRows(entries: readonly OutboxEntry[], nowMs: number): NewOutboxRow[] {
  const createdAt = new Date(nowMs);
  // A PageView knows of nobody yet: the column is written only where some entry fills it.
  const namesPeople = entries.some(({ botUserId }) => botUserId !== undefined && botUserId !== null);
  if (!namesPeople) return entries.map((entry) => outboxRow(entry, createdAt));
  return entries.map((entry) => ({ ...outboxRow(entry, createdAt), botUserId: entry.botUserId ?? null }));
}

/** Whether a dispatcher may take the row at once. */
export function mayLeaveAt(row: NewOutboxRow, nowMs: number): boolean {
  return row.status === "pending" && row.availableAt.getTime() <= nowMs;
}

function outboxRow(entry: OutboxEntry, createdAt: Date) {
  const { status, lastError } = fate(entry, createdAt);
  return {
    status,
    lastError,
    destination: entry.destination,
    route: entry.route,
    eventName: entry.eventName,
    eventId: entry.eventId,
    poolId: entry.poolId ?? null,
    trackingToken: entry.trackingToken ?? null,
    paymentId: entry.paymentId ?? null,
    payload: status === "pending" ? notInFuture(entry.payload, createdAt) : entry.payload,
    availableAt: entry.holdMs ? new Date(createdAt.getTime() + entry.holdMs) : createdAt,
    createdAt,
  };
}

/**
 * An event that Meta is certain to refuse is written down as dead at once, with the reason: it is seen, and it
 * takes no good neighbour's request down with it. One that seems too old is left to its dispatcher, who ends it, unless
 * the clock is doubted.
 */
function fate(entry: OutboxEntry, now: Date): { status: OutboxStatus; lastError: string | null } {
  const check = entry.destination === "meta" ? validateEvent(entry.payload, now) : null;
  return check?.kind === "invalid"
    ? { status: "dead", lastError: `not sent: ${check.reason}` }
    : { status: "pending", lastError: null };
}
