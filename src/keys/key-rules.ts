import { z } from "zod";

/** A new API key; its name stands in the audit log. */
export const apiKeyDraftSchema = z.strictObject({
  name: z
    .string()
    .trim()
    .regex(/^[^\p{Cc}\p{Cs}]{1,60}$/u, "1 to 60 characters, none of them a control character")
    .meta({ examples: ["reporting"] }),
  scope: z.enum(["read", "write"]),
});
