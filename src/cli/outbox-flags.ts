import { z } from "zod";
import { outboxFilter, outboxFilterShape, ROUTE_MEANS } from "../api/outbox-filter.ts";
import type { Database } from "../db/database.ts";
import type { OutboxFilter } from "../outbox/filter.ts";
import { findPool } from "../pools/pool-view.ts";
import type { Given, Options } from "./command.ts";
import { checked, onlyGiven } from "./input.ts";
import { noSuchPool } from "./pool-flags.ts";

/** The flags that choose outbox rows. */
export const OUTBOX_FLAGS = {
  status: {
    type: "string",
    value: "status",
    help: "pending, sending, delivered, dead, expired or discarded",
  },
  pool: { type: "string", value: "slug", help: "of this pool" },
  "event-name": { type: "string", value: "name", help: "PageView, Purchase, welcome, delivery …" },
  destination: { type: "string", value: "name", help: "meta or telegram" },
  route: { type: "string", value: "route", help: ROUTE_MEANS },
  "event-id": { type: "string", value: "id", help: "this event" },
  token: { type: "string", value: "token", help: "of this visitor (tracking token)" },
  payment: { type: "string", value: "id", help: "of this payment" },
  text: { type: "string", value: "text", help: "with this in the event id or the last error" },
  after: { type: "string", value: "time", help: "from this instant on (2025-03-01 or 2025-03-01T12:00:00Z)" },
  before: { type: "string", value: "time", help: "before this instant" },
} as const satisfies Options;

const filterSchema = z.strictObject(outboxFilterShape);
const FLAG_OF_FIELD = { tracking_token: "token", payment_id: "payment" };

/** The filter that the flags make; null where none was given. */
export function filterOf(given: Given<typeof OUTBOX_FLAGS>): OutboxFilter | null {
  const input = onlyGiven({
    status: given.status,
    pool: given.pool,
    event_name: given["event-name"],
    destination: given.destination,
    route: given.route,
    event_id: given["event-id"],
    tracking_token: given.token,
    payment_id: given.payment,
    text: given.text,
    after: given.after,
    before: given.before,
  });
  if (Object.keys(input).length === 0) return null;
  return outboxFilter(checked(filterSchema, input, FLAG_OF_FIELD));
}

/** A misspelt pool has no events, which could be taken for an answer. @throws Refused */
export async function refuseUnknownPool(db: Database, { pool }: OutboxFilter): Promise<void> {
  if (pool !== undefined && (await findPool(db, db.tables, pool)) === null) throw noSuchPool(pool);
}
