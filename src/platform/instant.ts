import { z } from "zod";

/** The last instant that Postgres reads as JavaScript writes it: later years have a sign before them. */
export const LAST_INSTANT_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Postgres has no year 0, and nobody here means one before it. What is no time at all was refused as such already. */
const isAfterYear0 = (text: string) => !(new Date(text).getUTCFullYear() < 1);
const isBeforeYear10000 = (text: string) => !(new Date(text).getTime() > LAST_INSTANT_MS);

/** Where a span of time begins or ends: a moment, or a day, which is its beginning in UTC. */
export const instantOrDayText = z
  .union(
    [z.iso.datetime({ offset: true }), z.iso.date()],
    "an instant such as 2025-03-01T12:00:00Z, or a day",
  )
  .refine(isAfterYear0, "must lie after the year 0")
  .refine(isBeforeYear10000, "must lie before the year 10000");
