import { z } from "zod";

// The kinds of values that answers are made of.
export const text = z.string();
export const maybe = z.string().nullable();
export const instant = z.iso.datetime();
export const maybeInstant = instant.nullable();
export const count = z.int();

/** What a list answers with: one page of it. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({ items: z.array(item), next_cursor: maybe });
