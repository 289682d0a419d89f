import { Elysia } from "elysia";
import { z } from "zod";
import type { FieldErrors } from "../../../views/ops/form-data.ts";
import { type KeyFields, KeysPage } from "../../../views/ops/keys.tsx";
import { createApiKeyOnce, listApiKeys, revokeApiKey } from "../../keys/api-keys.ts";
import { apiKeyDraftSchema, nameTaken } from "../../keys/key-rules.ts";
import { newId } from "../../platform/ids.ts";
import { parseInput } from "../../pools/rules.ts";
import type { OpsDeps } from "../deps.ts";
import { formFields } from "../form.ts";
import { fieldErrors } from "../form-errors.ts";
import { type Operator, opsGuard } from "../guard.ts";
import { doneAndSee } from "../note.ts";
import { opsPage } from "../page.ts";

const PAGE_LENGTH = 50;
const EMPTY_KEY: KeyFields = { name: "", scope: "read" };

const idSchema = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER);
const formIdSchema = z.string().regex(/^[0-9a-f]{32}$/);
const querySchema = z.object({ cursor: idSchema.optional().catch(undefined) });

/**
 * `/ops/keys`: keys of the JSON API. A key is shown in the answer that made it, and never again. That answer is the
 * POST's own, which reloading sends once more: each form has an id and makes one key, in whichever process it arrives.
 */
export function keyPages(deps: OpsDeps) {
  async function keysPage(operator: Operator, shown: KeysShown = {}) {
    const { cursor, fields = EMPTY_KEY, errors = {}, made = null } = shown;
    const page = await listApiKeys(deps, { cursor, limit: PAGE_LENGTH });
    const { csrfToken, zone } = operator.frame;
    return opsPage(operator, {
      title: "API keys",
      section: "keys",
      status: Object.keys(errors).length > 0 ? 400 : 200,
      children: KeysPage({
        lines: page.items,
        next: page.next_cursor,
        isFirst: cursor === undefined,
        formId: newId(),
        ...{ fields, errors, made, csrfToken, zone },
      }),
    });
  }

  return new Elysia({ name: "ops.keys" })
    .use(opsGuard(deps))
    .get("/ops/keys", ({ operator, query }) => keysPage(operator, querySchema.parse(query)))
    .post("/ops/keys", async ({ operator, body }) => {
      const form = formFields(body);
      const fields = { name: form.text("name"), scope: form.text("scope") };
      const parsed = parseInput(apiKeyDraftSchema, fields);
      if (parsed.kind === "invalid")
        return keysPage(operator, { fields, errors: fieldErrors(parsed.issues) });
      const formId = formIdSchema.safeParse(form.raw("form_id"));
      if (!formId.success) return keysPage(operator, { fields, errors: { "": OUT_OF_DATE } });
      const result = await createApiKeyOnce(deps, operator.actor, parsed.value, formId.data);
      switch (result.kind) {
        case "created":
          return keysPage(operator, { made: { name: result.view.name, key: result.key } });
        case "made_already":
          return doneAndSee(operator, "/ops/keys", madeAlready(result.view.name), "warn");
        case "name_taken":
          return keysPage(operator, { fields, errors: { name: nameTaken(parsed.value.name) } });
      }
    })
    .post("/ops/keys/:id/revoke", async ({ operator, params }) => {
      const id = idSchema.safeParse(params.id);
      const result = id.success ? await revokeApiKey(deps, operator.actor, id.data) : null;
      return result?.kind === "revoked"
        ? doneAndSee(operator, "/ops/keys", `The key ${result.key.name} is revoked.`)
        : doneAndSee(operator, "/ops/keys", "Nothing was changed: there is no such key.", "warn");
    });
}

const OUT_OF_DATE = "The form was out of date, and is renewed now: send it once more.";

function madeAlready(name: string): string {
  return `This form had made the key ${name} already, so no other was made. A key is shown only once: if you did not keep it, revoke it and make another.`;
}

/** What the page shows besides the keys from their first one. */
interface KeysShown {
  readonly cursor?: number | undefined;
  /** A form that was not taken. */
  readonly fields?: KeyFields;
  readonly errors?: FieldErrors;
  readonly made?: { readonly name: string; readonly key: string };
}
