import { z } from "zod";
import { instantOrDayText } from "../platform/instant.ts";
import { type AskedPage, LARGEST_PAGE, PAGE_SIZE } from "../platform/pagination.ts";

const wholeNumber = (meta: { readonly description?: string; readonly examples: readonly string[] }) =>
  z
    .string()
    .regex(/^\d{1,15}$/, "must be a whole number")
    .meta({ ...meta })
    .transform(Number);

/** A row number in a path. */
export const idParams = z.object({ id: wholeNumber({ examples: ["42"] }) });

/** `?cursor=&limit=` of every list. */
export const pageQuery = {
  cursor: wholeNumber({ description: "next_cursor of the page before", examples: ["42"] }).optional(),
  limit: wholeNumber({ description: `1 to ${LARGEST_PAGE}, default ${PAGE_SIZE}`, examples: ["50"] })
    .refine((limit) => limit >= 1 && limit <= LARGEST_PAGE, `must lie between 1 and ${LARGEST_PAGE}`)
    .optional(),
};

/** An instant that a query, a body or a flag may name. */
export const instant = (description: string, example = "2025-03-01T00:00:00Z") =>
  instantOrDayText
    .meta({ description, examples: [example] })
    .transform((text) => new Date(text))
    .optional();

/** The page that a query asks for. */
export function pageOfQuery(query: { cursor?: number | undefined; limit?: number | undefined }): AskedPage {
  return { cursor: query.cursor, limit: query.limit ?? PAGE_SIZE };
}
