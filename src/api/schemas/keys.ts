import { z } from "zod";
import { KEY_SCOPES } from "../../db/vocabulary.ts";
import type { ApiKeyView } from "../../keys/api-keys.ts";
import { count, instant, maybeInstant, text } from "./kinds.ts";

const apiKeyShape = {
  id: count,
  name: text,
  hint: text,
  scope: z.enum(KEY_SCOPES),
  created_at: instant,
  last_used_at: maybeInstant,
  revoked_at: maybeInstant,
};
export const apiKeySchema: z.ZodType<ApiKeyView> = z.strictObject(apiKeyShape);

export const newApiKeySchema = z.strictObject({ ...apiKeyShape, key: text });
