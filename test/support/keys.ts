import type { KeyScope } from "../../src/db/vocabulary.ts";
import { createApiKey } from "../../src/keys/api-keys.ts";

type KeyDeps = Parameters<typeof createApiKey>[0];

/** Makes an API key. @throws Error where a live one has the name. */
export async function makeApiKey(deps: KeyDeps, name: string, scope: KeyScope, actor = "test") {
  const made = await createApiKey(deps, actor, { name, scope });
  if (made.kind !== "created") throw new Error(`${name}: ${made.kind}`);
  return made;
}
