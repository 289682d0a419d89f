import { z } from "zod";
import type { ApiKeyView } from "../../keys/api-keys.ts";
import { count, instant, maybeInstant, text } from "./kinds.ts";

const apiKeyShape = {
  id: count,
  name: text,
  hint: text,
  scope: z.enum(["read", "write"]),
  created_at: instant,
  last_used_at: maybeInstant,
  revoked_at: maybeInstant,
};
export const apiKeySchema: z.ZodType<ApiKeyView> = z.strictObject(apiKeyShape);

export const newApiKeySchema = z.strictObject({ ...apiKeyShape, key: text });
