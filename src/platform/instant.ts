import { z } from "zod";

/** Postgres has no year 0, and nobody here means one before it. What is no time at all was refused as such already. */
const isAfterYear0 = (text: string) => !(new Date(text).getUTCFullYear() < 1);

/** Where a span of time begins or ends: a moment, or a day, which is its beginning in UTC. */
export const instantOrDayText = z
  .union(
    [z.iso.datetime({ offset: true }), z.iso.date()],
    "an instant such as 2025-03-01T12:00:00Z, or a day",
  )
  .refine(isAfterYear0, "must lie after the year 0");
