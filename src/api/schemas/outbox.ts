import { z } from "zod";
import { ATTEMPT_OUTCOMES, DESTINATIONS, OUTBOX_STATUSES } from "../../db/vocabulary.ts";
import type { OutboxDetail } from "../../outbox/outbox-rows.ts";
import type { OutboxView } from "../../outbox/views.ts";
import { count, instant, maybe, maybeInstant, text } from "./kinds.ts";

export const outboxSummaryShape = {
  id: count,
  destination: z.enum(DESTINATIONS),
  route: text,
  event_name: text,
  event_id: text,
  status: z.enum(OUTBOX_STATUSES),
  attempts: count,
  last_error: maybe,
  fbtrace_id: maybe,
  created_at: instant,
  delivered_at: maybeInstant,
};

const outboxShape = {
  ...outboxSummaryShape,
  pool: maybe,
  tracking_token: maybe,
  payment_id: maybe,
  available_at: instant,
  lease_until: maybeInstant,
};
export const outboxRowSchema: z.ZodType<OutboxView> = z.strictObject(outboxShape);

export const outboxDetailSchema: z.ZodType<OutboxDetail> = z.strictObject({
  ...outboxShape,
  payload: z.unknown(),
  requests: z.array(
    z.strictObject({
      id: count,
      started_at: instant,
      outcome: z.enum(ATTEMPT_OUTCOMES),
      events: count,
      status: count.nullable(),
      code: count.nullable(),
      subcode: count.nullable(),
      fbtrace_id: maybe,
      duration_ms: count,
      response: text,
    }),
  ),
});

export const replayedSchema = z.strictObject({
  action: z.enum(["retry", "discard"]),
  dry_run: z.boolean(),
  rows: count,
});
