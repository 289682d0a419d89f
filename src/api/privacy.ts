import { Elysia } from "elysia";
import { type ErasureDeps, erasePerson } from "../privacy/erase.ts";
import { erasureSchema, personKey } from "../privacy/key.ts";
import { CHANGES, describeRoute } from "./describe.ts";
import { type ApiRouteDeps, apiGuard } from "./guard.ts";

/** `POST /api/privacy/erasures`: takes one person out of everything that is kept. */
export function privacyApi(deps: ErasureDeps & ApiRouteDeps) {
  return new Elysia({ name: "api.privacy", prefix: "/api" })
    .use(apiGuard(deps))
    .post(
      "/privacy/erasures",
      ({ body, actor }) => erasePerson(deps, personKey(body), { actor, dryRun: body.dry_run ?? false }),
      {
        parse: "json",
        body: erasureSchema,
        detail: describeRoute("Privacy")(
          "Erase a person",
          { 200: "Erasure", ...CHANGES },
          "By a visit, a payment, or as a customer: the Telegram user and the customer behind it are found, with every visit, bot and payment of theirs. Personal data goes, in every table, in Redis and in this machine's spool; amounts, references and counts stay. What had not been sent never will be. Erasing again is safe; the answer counts what was changed, all 0 where nothing is known.",
        ),
      },
    );
}
