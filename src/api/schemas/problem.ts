import { z } from "zod";
import { count, text } from "./kinds.ts";

/** Every 4xx and 5xx. */
export const problemSchema = z
  .strictObject({
    type: text,
    title: text,
    status: count,
    detail: text,
    errors: z.array(z.strictObject({ path: text, message: text })),
  })
  .meta({
    examples: [
      {
        type: "about:blank",
        title: "Bad Request",
        status: 400,
        detail: "The body must be a JSON object as the errors say; /openapi describes it.",
        errors: [{ path: "meta_pixel_id", message: "up to 20 digits" }],
      },
    ],
  });
