import { Elysia } from "elysia";
import { z } from "zod";
import type { FieldErrors } from "../../../views/ops/form-data.ts";
import { type KeyFields, KeysPage } from "../../../views/ops/keys.tsx";
import { createApiKeyOnce, listApiKeys, revokeApiKey } from "../../keys/api-keys.ts";
import { apiKeyDraftSchema, nameTaken } from "../../keys/key-rules.ts";
import { newId } from "../../platform/ids.ts";
import type { AskedPage } from "../../platform/pagination.ts";
import { invalid, parseInput } from "../../platform/parse-input.ts";
import type { OpsDeps } from "../deps.ts";
import { type FormFields, formFields } from "../form.ts";
import { fieldErrors } from "../form-errors.ts";
import { type Operator, opsGuard } from "../guard.ts";
import { doneAndSee } from "../note.ts";
import { opsPage } from "../page.ts";
import { askedPage, findById, pieceOf } from "../params.ts";
import { formStatus, submit } from "../submit.ts";

const LIST = "/ops/keys";
const EMPTY_KEY: KeyFields = { name: "", scope: "read" };

const formIdSchema = z.string().regex(/^[0-9a-f]{32}$/);

/**
 * `/ops/keys`: keys of the JSON API. A key is shown in the answer that made it, and never again. That answer is the
 * POST's own, which reloading sends once more: each form has an id and makes one key, in whichever process it arrives.
 */
export function keyPages(deps: OpsDeps) {
  async function keysPage(operator: Operator, shown: KeysShown = {}) {
    const { asked = askedPage({}), fields = EMPTY_KEY, errors = {}, made = null } = shown;
    const page = await listApiKeys(deps, asked);
    const { csrfToken, zone } = operator.frame;
    return opsPage(operator, {
      title: "API keys",
      section: "keys",
      status: formStatus(errors),
      children: KeysPage({
        ...pieceOf(asked, page, page.items),
        formId: newId(),
        ...{ fields, errors, made, csrfToken, zone },
      }),
    });
  }

  function makeKey(operator: Operator, form: FormFields) {
    const fields = { name: form.text("name"), scope: form.text("scope") };
    const again = (errors: FieldErrors) => keysPage(operator, { fields, errors });
    const formId = formIdSchema.safeParse(form.raw("form_id"));
    return submit({
      parsed: parseInput(apiKeyDraftSchema, fields),
      change: async (draft) =>
        formId.success
          ? createApiKeyOnce(deps, operator.actor, draft, formId.data)
          : invalid("", OUT_OF_DATE),
      wrong: (issues) => again(fieldErrors(issues)),
      done(result) {
        switch (result.kind) {
          case "created":
            return keysPage(operator, { made: { name: result.view.name, key: result.key } });
          case "made_already":
            return doneAndSee(operator, LIST, madeAlready(result.view.name), "warn");
          case "name_taken":
            return again({ name: nameTaken(fields.name) });
        }
      },
    });
  }

  async function revokeKey(operator: Operator, id: string) {
    const result = await findById(id, (n) => revokeApiKey(deps, operator.actor, n));
    return result?.kind === "revoked"
      ? doneAndSee(operator, LIST, `The key ${result.key.name} is revoked.`)
      : doneAndSee(operator, LIST, "Nothing was changed: there is no such key.", "warn");
  }

  return new Elysia({ name: "ops.keys" })
    .use(opsGuard(deps))
    .get(LIST, ({ operator, query }) => keysPage(operator, { asked: askedPage(query) }))
    .post(LIST, ({ operator, body }) => makeKey(operator, formFields(body)))
    .post(`${LIST}/:id/revoke`, ({ operator, params }) => revokeKey(operator, params.id));
}

const OUT_OF_DATE = "The form was out of date, and is renewed now: send it once more.";

function madeAlready(name: string): string {
  return `This form had made the key ${name} already, so no other was made. A key is shown only once: if you did not keep it, revoke it and make another.`;
}

/** What the page shows besides the keys from their first one. */
interface KeysShown {
  readonly asked?: AskedPage;
  /** A form that was not taken. */
  readonly fields?: KeyFields;
  readonly errors?: FieldErrors;
  readonly made?: { readonly name: string; readonly key: string };
}
