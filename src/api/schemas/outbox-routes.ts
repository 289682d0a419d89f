import { z } from "zod";
import { DESTINATIONS, HOLD_STATES, OUTBOX_STATUSES } from "../../db/vocabulary.ts";
import type { RouteBacklog, StatusCount } from "../../outbox/status.ts";
import { count, instant, maybe, maybeInstant, text } from "./kinds.ts";

const statusCount: z.ZodType<StatusCount> = z.strictObject({
  destination: z.enum(DESTINATIONS),
  pool: maybe,
  event_name: text,
  status: z.enum(OUTBOX_STATUSES),
  events: count,
  oldest_created_at: instant,
  newest_created_at: instant,
});

const routeBacklog: z.ZodType<RouteBacklog> = z.strictObject({
  destination: z.enum(DESTINATIONS),
  route: text,
  state: z.enum(["ready", ...HOLD_STATES]),
  waiting: count,
  due: count,
  sending: count,
  oldest_created_at: maybeInstant,
  oldest_age_seconds: count.nullable(),
  next_at: maybeInstant,
  paused_at: maybeInstant,
  paused_reason: maybe,
  throttled_until: maybeInstant,
  open_until: maybeInstant,
  failures: count,
});

export const outboxStatusSchema = z.strictObject({
  events: z.array(statusCount),
  routes: z.array(routeBacklog),
});

export const routeChangedSchema = z.strictObject({
  destination: z.enum(DESTINATIONS),
  route: text,
  paused: z.boolean(),
});
