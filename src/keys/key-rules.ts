import { z } from "zod";
import { KEY_SCOPES } from "../db/vocabulary.ts";
import { oneLine } from "../platform/parse-input.ts";

/** What the audit log calls `API_KEY` of the environment, so that no key of ours may be called so. */
export const ENVIRONMENT_KEY = "environment";

/** What to say where a live key has the name already. */
export function nameTaken(name: string): string {
  return `A live key is called ${name} already, and the audit log tells keys by their names. Choose another, or revoke that one first.`;
}

/** A new API key; its name stands in the audit log. */
export const apiKeyDraftSchema = z.strictObject({
  name: z
    .string()
    .trim()
    .regex(...oneLine(60))
    .refine(
      (name) => name.toLowerCase() !== ENVIRONMENT_KEY,
      "the audit log calls API_KEY of the environment so: choose another name",
    )
    .meta({ examples: ["reporting"] }),
  scope: z.enum(KEY_SCOPES),
});
