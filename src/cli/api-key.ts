import { createApiKey, listApiKeys, revokeApiKey } from "../keys/api-keys.ts";
import { apiKeyDraftSchema, nameTaken } from "../keys/key-rules.ts";
import { defineCommand, Refused } from "./command.ts";
import { checked, idOf } from "./input.ts";
import { allPages } from "./pages.ts";
import { answer, second, table } from "./print.ts";
import { ACTOR, withDatabase } from "./with-database.ts";

export const apiKeyAdd = defineCommand({
  name: "api-key add",
  summary: "Make a key for the JSON API; it is shown this once",
  options: {
    name: { type: "string", value: "name", help: "who uses it, as the audit log will say" },
    scope: { type: "string", value: "read|write", help: "what it may do (default: read)" },
  },
  examples: ["api-key add --name reporting", "api-key add --name shop --scope write"],
  async run(given, _values, context) {
    const draft = checked(apiKeyDraftSchema, { name: given.name, scope: given.scope ?? "read" });
    await withDatabase(context, async (opened) => {
      const result = await createApiKey(opened, ACTOR, draft);
      if (result.kind === "name_taken") throw new Refused(nameTaken(draft.name));
      const { key, view } = result;
      answer(context, { ...view, key }, () =>
        [
          `Made ${view.scope} key ${view.id} "${view.name}". Keep it now, it is not shown again:`,
          "",
          key,
        ].join("\n"),
      );
    });
  },
});

export const apiKeyList = defineCommand({
  name: "api-key list",
  summary: "List the API keys",
  options: {},
  async run(_given, _values, context) {
    await withDatabase(context, async (opened) => {
      const keys = await allPages((page) => listApiKeys(opened, page));
      answer(context, keys, () =>
        keys.length === 0
          ? "No key yet. Make one with: bun run ponte api-key add --name reporting"
          : table(keys, [
              { head: "ID", cell: ({ id }) => id },
              { head: "NAME", cell: ({ name }) => name },
              { head: "SCOPE", cell: ({ scope }) => scope },
              { head: "KEY", cell: ({ hint }) => `…${hint}` },
              { head: "MADE", cell: ({ created_at }) => second(created_at) },
              { head: "LAST USED", cell: ({ last_used_at }) => last_used_at && second(last_used_at) },
              { head: "REVOKED", cell: ({ revoked_at }) => revoked_at && second(revoked_at) },
            ]),
      );
    });
  },
});

export const apiKeyRevoke = defineCommand({
  name: "api-key revoke",
  summary: "End an API key at once",
  takes: ["<id>"],
  options: {},
  async run(_given, [text = ""], context) {
    const id = idOf(text);
    await withDatabase(context, async (opened) => {
      const result = await revokeApiKey(opened, ACTOR, id);
      if (result.kind === "not_found")
        throw new Refused(`There is no API key ${id}. See: bun run ponte api-key list`);
      answer(context, result.key, () => `Key ${id} "${result.key.name}" is revoked.`);
    });
  },
});
