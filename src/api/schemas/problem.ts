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
    request_id: text.optional().describe("Finds the log lines of this request"),
  })
  .meta({
    examples: [
      {
        type: "about:blank",
        title: "Bad Request",
        status: 400,
        detail: "The body must be a JSON object as the errors say; /openapi describes it.",
        errors: [{ path: "meta_pixel_id", message: "up to 20 digits" }],
        request_id: "0199c0ffee0070008000000000000001",
      },
    ],
  });
