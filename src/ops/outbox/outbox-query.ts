import { z } from "zod";
import type { OutboxFields } from "../../../views/ops/outbox-data.ts";
import { DESTINATIONS, OUTBOX_STATUSES } from "../../db/define-schema.ts";
import type { OutboxFilter } from "../../outbox/filter.ts";
import { instantOfWall } from "../zone.ts";

const word = z
  .string()
  .trim()
  .regex(/^[^\p{Cc}\p{Cs}]{0,200}$/u)
  .catch("")
  .default("");

const fieldsSchema = z.object({
  status: z
    .enum(["", ...OUTBOX_STATUSES])
    .catch("")
    .default(""),
  destination: z
    .enum(["", ...DESTINATIONS])
    .catch("")
    .default(""),
  pool: word,
  event: word,
  text: word,
  from: word,
  to: word,
});

const cursorSchema = z.coerce
  .number()
  .int()
  .positive()
  .max(Number.MAX_SAFE_INTEGER)
  .optional()
  .catch(undefined);

/** Reads the filter's fields out of a query or a form. What makes no sense is left out: it never fails. */
export function readOutboxFields(given: unknown): OutboxFields {
  return fieldsSchema.parse(given ?? {});
}

/** The id that the page's rows are older than. */
export function readCursor(query: Readonly<Record<string, unknown>>): number | undefined {
  return cursorSchema.parse(query.cursor);
}

/** The fields as the outbox takes them; `from` and `to` are what the clock in `zone` shows. */
export function outboxFilterOf(fields: OutboxFields, zone: string): OutboxFilter {
  return {
    status: fields.status || undefined,
    destination: fields.destination || undefined,
    pool: fields.pool || undefined,
    eventName: fields.event || undefined,
    text: fields.text || undefined,
    after: instant(fields.from, zone),
    before: instant(fields.to, zone),
  };
}

function instant(wall: string, zone: string): Date | undefined {
  const ms = instantOfWall(wall, zone);
  return ms === null ? undefined : new Date(ms);
}

/** The fields that are not empty, for links and hidden fields. */
export function filledFields(fields: OutboxFields): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));
}
