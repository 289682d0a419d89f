import { z } from "zod";
import type { FieldErrors } from "../../../views/ops/form-data.ts";
import { LONGEST_WORD, type OutboxFields } from "../../../views/ops/outbox-data.ts";
import { DESTINATIONS, OUTBOX_STATUSES } from "../../db/vocabulary.ts";
import type { OutboxFilter } from "../../outbox/filter.ts";
import type { FormFields } from "../form.ts";
import { instantOfWall } from "../zone.ts";

const ONCE = "Give it once.";

const word = z
  .string(ONCE)
  .max(LONGEST_WORD, `At most ${LONGEST_WORD} characters.`)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, "It has a character that no name has.")
  .default("");

const wall = z
  .string(ONCE)
  .refine((text) => text === "" || instantOfWall(text, "UTC") !== null, {
    error: ({ input }) => `“${String(input).slice(0, 40)}” is no time; write it like 2025-03-01T12:00.`,
  })
  .default("");

const filterSchema = z.strictObject({
  status: z.enum(["", ...OUTBOX_STATUSES], "There is no such status.").default(""),
  destination: z.enum(["", ...DESTINATIONS], "There is no such destination.").default(""),
  pool: word,
  event: word,
  text: word,
  from: wall,
  to: wall,
});

/** What a query or a form asks for. With `errors` it was not understood, and `filter` must not be gone by. */
export interface AskedEvents {
  /** As it was given, for the form. */
  readonly fields: OutboxFields;
  readonly filter: OutboxFilter;
  readonly errors: FieldErrors;
}

/**
 * Reads the filter's fields out of a query or a form; `others` are the names that it may have besides. Strict: a field
 * that were left out would make "all that match" more than was asked for. `from` and `to` are what the clock in
 * `zone` shows.
 */
export function readAskedEvents(given: FormFields, zone: string, others: readonly string[]): AskedEvents {
  const names = given.names().filter((name) => !others.includes(name));
  const read = filterSchema.safeParse(
    Object.fromEntries(
      names.map((name) => [name, given.all(name).length > 1 ? given.all(name) : given.text(name)]),
    ),
  );
  if (read.success) return { fields: read.data, filter: filterOf(read.data, zone), errors: {} };
  const errors: Record<string, string> = {};
  for (const issue of read.error.issues) {
    const isUnknown = issue.code === "unrecognized_keys";
    errors[issue.path.join(".")] ??= isUnknown
      ? `The filter has no field “${issue.keys.join("”, “").slice(0, 100)}”.`
      : issue.message;
  }
  return { fields: asTyped(given), filter: {}, errors };
}

/** Whether what was asked for was understood as a whole. */
export function isUnderstood({ errors }: Pick<AskedEvents, "errors">): boolean {
  return Object.keys(errors).length === 0;
}

function asTyped(given: FormFields): OutboxFields {
  const of = (name: keyof OutboxFields) => given.text(name).slice(0, LONGEST_WORD);
  return {
    status: of("status"),
    destination: of("destination"),
    pool: of("pool"),
    event: of("event"),
    text: of("text"),
    from: of("from"),
    to: of("to"),
  };
}

function filterOf(fields: z.output<typeof filterSchema>, zone: string): OutboxFilter {
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

function instant(wallText: string, zone: string): Date | undefined {
  const ms = instantOfWall(wallText, zone);
  return ms === null ? undefined : new Date(ms);
}

/** The fields that are not empty, for links and hidden fields. */
export function filledFields(fields: OutboxFields): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));
}
