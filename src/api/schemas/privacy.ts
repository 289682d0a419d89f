import { z } from "zod";
import type { Erasure } from "../../privacy/erasure.ts";
import { count } from "./kinds.ts";

export const erasureAnswerSchema: z.ZodType<Erasure> = z
  .strictObject({
    dry_run: z.boolean(),
    sessions: count,
    people: count.describe("Their rows in bots"),
    payments: count,
    outbox: count.describe("Events and messages"),
    unsent: count.describe("Of those, how many had not gone out, and never will"),
    undelivered: count.describe("Of those, what was paid for and not handed over: a person must see to it"),
    answers: count.describe("Telegram's answers in outbox_attempts"),
    spooled: count.describe("Visits on this machine's disk that the database did not have yet"),
    copies: count
      .nullable()
      .describe(
        "Copies in Redis; null where it did not answer: they go by themselves after TRACKING_TTL_DAYS",
      ),
  })
  .meta({
    examples: [
      {
        dry_run: false,
        sessions: 2,
        people: 1,
        payments: 1,
        outbox: 9,
        unsent: 0,
        undelivered: 0,
        answers: 5,
        spooled: 0,
        copies: 2,
      },
    ],
  });
