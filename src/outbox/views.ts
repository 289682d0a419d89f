import type { Tables } from "../db/define-schema.ts";

type Row = Tables["outbox"]["$inferSelect"];
type AttemptRow = Tables["outboxAttempts"]["$inferSelect"];

export type OutboxView = ReturnType<typeof outboxView>;
export type AttemptView = ReturnType<typeof attemptView>;

/** A row without what is sent, and its pool's slug. */
interface RowOfPool {
  readonly row: Omit<Row, "payload">;
  readonly pool: string | null;
}

/** An outbox row ready for JSON, without what is sent. */
export function outboxView({ row, pool }: RowOfPool) {
  return {
    id: row.id,
    destination: row.destination,
    route: row.route,
    pool,
    event_name: row.eventName,
    event_id: row.eventId,
    status: row.status,
    attempts: row.attempts,
    last_error: row.lastError,
    fbtrace_id: row.fbtraceId,
    tracking_token: row.trackingToken,
    payment_id: row.paymentId,
    available_at: row.availableAt.toISOString(),
    lease_until: row.leaseUntil?.toISOString() ?? null,
    created_at: row.createdAt.toISOString(),
    delivered_at: row.deliveredAt?.toISOString() ?? null,
  };
}

/** A request and its answer, ready for JSON. */
export function attemptView(attempt: AttemptRow) {
  return {
    id: attempt.id,
    started_at: attempt.startedAt.toISOString(),
    outcome: attempt.outcome,
    events: attempt.events,
    status: attempt.status,
    code: attempt.code,
    subcode: attempt.subcode,
    fbtrace_id: attempt.fbtraceId,
    duration_ms: attempt.durationMs,
    response: attempt.response,
  };
}
