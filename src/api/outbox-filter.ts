import { z } from "zod";
import { DESTINATIONS, OUTBOX_STATUSES } from "../db/vocabulary.ts";
import type { OutboxFilter } from "../outbox/filter.ts";
import { oneLine } from "../platform/parse-input.ts";
import { instant } from "./params.ts";

const word = (description: string, example: string) =>
  z
    .string()
    .regex(...oneLine(200))
    .meta({ description, examples: [example] })
    .optional();

/** What a route is called, for whoever has to name one. */
export const ROUTE_MEANS =
  "<pixel> or <pixel>/<test code>; at Telegram the bot's number in Ponte (not Telegram's id), or <number>/<payment provider> for its checkouts";

/** The fields that choose outbox rows, as a query, a body or flags bring them. */
export const outboxFilterShape = {
  status: z.enum(OUTBOX_STATUSES).optional(),
  pool: word("The pool's slug", "summer"),
  event_name: word("As Meta names it; welcome, delivery … at Telegram", "Purchase"),
  destination: z.enum(DESTINATIONS).optional(),
  route: word(ROUTE_MEANS, "1234567890123456"),
  event_id: word("Exactly", "evt_0193f2a5c1d27e3f8a4b5c6d7e8f9012"),
  tracking_token: word("Exactly", "0193f2a5c1d27e3f8a4b5c6d7e8f9012"),
  payment_id: word("Exactly", "0193f2a5c1d27e3f8a4b5c6d7e8f9012"),
  text: word("Anywhere in the event id or the last error", "Invalid parameter"),
  after: instant("Written down at or after this instant"),
  before: instant("Written down before this instant"),
};

const filterSchema = z.strictObject(outboxFilterShape);

/** The filter as the outbox's queries take it. */
export function outboxFilter(given: z.output<typeof filterSchema>): OutboxFilter {
  return {
    status: given.status,
    pool: given.pool,
    eventName: given.event_name,
    destination: given.destination,
    route: given.route,
    eventId: given.event_id,
    trackingToken: given.tracking_token,
    paymentId: given.payment_id,
    text: given.text,
    after: given.after,
    before: given.before,
  };
}

/** Which rows to retry or discard. */
export const replayBody = z
  .strictObject({
    ids: z
      .array(z.int().min(1))
      .min(1)
      .max(10_000)
      .optional()
      .meta({ examples: [[42, 43]] }),
    filter: filterSchema
      .optional()
      .describe("All rows that match. Without a status: dead and expired ones.")
      .meta({ examples: [{ status: "dead", pool: "summer" }] }),
    dry_run: z.boolean().optional().describe("Only count."),
  })
  .refine(({ ids, filter }) => (ids === undefined) !== (filter === undefined), "give either ids or filter")
  .meta({ example: { filter: { status: "dead", pool: "summer" }, dry_run: true } });
