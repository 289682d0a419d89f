import { Elysia } from "elysia";
import { z } from "zod";
import type { FieldErrors } from "../../../views/ops/form-data.ts";
import { NotFound } from "../../../views/ops/not-found.tsx";
import { NewOfferPage, OfferPage } from "../../../views/ops/offer.tsx";
import type { OfferFields } from "../../../views/ops/offer-data.ts";
import { type BotView, findBot, findBotById } from "../../pools/bot-view.ts";
import { createOffer, deleteOffer, updateOffer } from "../../pools/manage-offers.ts";
import { offerChangeSchema, offerDraftSchema } from "../../pools/offer-rules.ts";
import { findOfferView, type OfferView } from "../../pools/offer-view.ts";
import { nobodyTakes, takingProviders } from "../../pools/payable.ts";
import { parseInput } from "../../pools/rules.ts";
import type { OpsDeps } from "../deps.ts";
import { formFields } from "../form.ts";
import { type Operator, opsGuard } from "../guard.ts";
import { moneyText } from "../money.ts";
import { doneAndSee } from "../note.ts";
import { opsPage } from "../page.ts";
import { EMPTY_OFFER, offerErrors, offerFieldsOf, offerInputOf, readOfferForm } from "./offer-form.ts";

const idSchema = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER);

/** `/ops/bots/<bot>/offers/new` and `/ops/offers/<offer>`: what a bot sells. Its list is on the bot's page. */
export function offerPages(deps: OpsDeps) {
  const { db } = deps;
  const { payments } = deps.config;
  const providers = takingProviders(payments);

  async function botOf(given: string): Promise<BotView | null> {
    const id = idSchema.safeParse(given);
    return id.success ? ((await findBotById(db, db.tables, id.data))?.view ?? null) : null;
  }

  async function findOffer(given: string): Promise<{ offer: OfferView; bot: BotView } | null> {
    const id = idSchema.safeParse(given);
    const offer = id.success ? await findOfferView(db, db.tables, id.data) : null;
    const bot = offer && (await findBot(db, db.tables, offer.bot));
    return offer && bot && { offer, bot };
  }

  function newPage(operator: Operator, bot: BotView, fields: OfferFields, errors: FieldErrors = {}) {
    const { csrfToken } = operator.frame;
    return opsPage(operator, {
      title: "New offer",
      section: "bots",
      status: Object.keys(errors).length > 0 ? 400 : 200,
      children: NewOfferPage({ bot, fields, errors, providers, csrfToken }),
    });
  }

  function offerPage(
    operator: Operator,
    { offer, bot }: { offer: OfferView; bot: BotView },
    fields = offerFieldsOf(offer),
    errors: FieldErrors = {},
  ) {
    const { csrfToken, zone } = operator.frame;
    const price = moneyText(offer.price_minor, offer.currency);
    const warning = nobodyTakes(offer, bot, payments);
    return opsPage(operator, {
      title: offer.name,
      section: "bots",
      status: Object.keys(errors).length > 0 ? 400 : 200,
      children: OfferPage({
        bot,
        offer: { ...offer, price, warning },
        fields,
        errors,
        providers,
        csrfToken,
        zone,
      }),
    });
  }

  return new Elysia({ name: "ops.offers" })
    .use(opsGuard(deps))
    .get("/ops/bots/:id/offers/new", async ({ operator, params }) => {
      const bot = await botOf(params.id);
      return bot === null ? noSuchOffer(operator) : newPage(operator, bot, EMPTY_OFFER);
    })
    .post("/ops/bots/:id/offers/new", async ({ operator, params, body }) => {
      const bot = await botOf(params.id);
      if (bot === null) return noSuchOffer(operator);
      const fields = readOfferForm(formFields(body));
      // The bot is this one, whatever it is called.
      const { bot: _bot, ...rules } = offerDraftSchema.shape;
      const parsed = parseInput(z.strictObject(rules), offerInputOf(fields));
      if (parsed.kind === "invalid")
        return newPage(operator, bot, fields, offerErrors(fields, parsed.issues));
      const result = await createOffer(deps, operator.actor, { ...parsed.value, bot: bot.username });
      switch (result.kind) {
        case "created": {
          const warning = nobodyTakes(result.offer, bot, payments);
          const made = `The offer ${result.offer.name} is made.`;
          return warning === null
            ? doneAndSee(operator, `/ops/bots/${bot.id}`, made)
            : doneAndSee(operator, `/ops/bots/${bot.id}`, `${made} ${warning.why}.`, "warn");
        }
        case "invalid":
          return newPage(operator, bot, fields, offerErrors(fields, result.issues));
      }
    })
    .get("/ops/offers/:id", async ({ operator, params }) => {
      const found = await findOffer(params.id);
      return found === null ? noSuchOffer(operator) : offerPage(operator, found);
    })
    .post("/ops/offers/:id", async ({ operator, params, body }) => {
      const found = await findOffer(params.id);
      if (found === null) return noSuchOffer(operator);
      const { offer } = found;
      const form = formFields(body);
      const fields = readOfferForm(form);
      // The form holds every field, so saving an old one would undo what somebody else changed since.
      if (form.text("seen") !== offer.updated_at)
        return offerPage(operator, found, fields, CHANGED_MEANWHILE);
      const parsed = parseInput(offerChangeSchema, offerInputOf(fields));
      if (parsed.kind === "invalid")
        return offerPage(operator, found, fields, offerErrors(fields, parsed.issues));
      const result = await updateOffer(deps, operator.actor, offer.id, parsed.value);
      switch (result.kind) {
        case "updated":
          return doneAndSee(operator, `/ops/offers/${offer.id}`, "Saved.");
        case "unchanged":
          return doneAndSee(operator, `/ops/offers/${offer.id}`, "Nothing was different.");
        case "not_found":
          return noSuchOffer(operator);
        case "invalid":
          return offerPage(operator, found, fields, offerErrors(fields, result.issues));
      }
    })
    .post("/ops/offers/:id/remove", async ({ operator, params }) => {
      const found = await findOffer(params.id);
      if (found === null) return noSuchOffer(operator);
      const { offer, bot } = found;
      const result = await deleteOffer(deps, operator.actor, offer.id);
      switch (result.kind) {
        case "deleted":
          return doneAndSee(operator, `/ops/bots/${bot.id}`, `The offer ${offer.name} is removed.`);
        case "not_found":
          return noSuchOffer(operator);
        case "in_use":
          return doneAndSee(operator, `/ops/offers/${offer.id}`, IN_USE, "warn");
      }
    });
}

const CHANGED_MEANWHILE: FieldErrors = {
  "": "The offer was changed since this page was opened, and saving would undo that. Below is what you typed: compare it with the audit log and save again.",
};

const IN_USE = "It was not removed: somebody looked at it or bought it. Turn it off instead.";

function noSuchOffer(operator: Operator): Response {
  return opsPage(operator, {
    title: "Not found",
    section: "bots",
    status: 404,
    children: NotFound({ text: "There is no such offer." }),
  });
}
