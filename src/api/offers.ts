import { Elysia, status } from "elysia";
import { z } from "zod";
import { username } from "../bots/bot-rules.ts";
import { findBot } from "../bots/bot-view.ts";
import {
  type CreateOfferResult,
  createOffer,
  type DeleteOfferResult,
  deleteOffer,
  type OfferDeps,
  type UpdateOfferResult,
  updateOffer,
} from "../offers/manage-offers.ts";
import { offerChangeSchema, offerDraftSchema } from "../offers/offer-rules.ts";
import { findOfferView, listOffers } from "../offers/offer-view.ts";
import { problem } from "../platform/problem.ts";
import { CHANGES, describeRoute } from "./describe.ts";
import { type ApiRouteDeps, apiGuard } from "./guard.ts";
import { idParams, pageOfQuery, pageQuery } from "./params.ts";
import { wouldNotWork } from "./would-not-work.ts";

const describe = describeRoute("Offers");

/** `/api/offers`: what the bots sell. */
export function offersApi(deps: OfferDeps & ApiRouteDeps) {
  const { db } = deps;
  return new Elysia({ name: "api.offers", prefix: "/api" })
    .use(apiGuard(deps))
    .get(
      "/offers",
      async ({ query: { bot, ...page } }) => {
        // A misspelt bot has no offers, which could be taken for an answer.
        if (bot !== undefined && (await findBot(db, db.tables, bot)) === null) return unknownBot(bot);
        return listOffers(db, db.tables, { ...pageOfQuery(page), bot });
      },
      {
        query: z.strictObject({ ...pageQuery, bot: username.optional() }),
        detail: describe("List offers", { 200: "OfferPage" }, "Of one bot where `bot` names it."),
      },
    )
    .post("/offers", async ({ body, actor }) => madeAnswer(await createOffer(deps, actor, body)), {
      parse: "json",
      body: offerDraftSchema,
      detail: describe("Make an offer", { 201: "Offer", 422: null, ...CHANGES }),
    })
    .get(
      "/offers/:id",
      async ({ params }) => (await findOfferView(db, db.tables, params.id)) ?? noSuchOffer(),
      { params: idParams, detail: describe("Read an offer", { 200: "Offer", 404: null }) },
    )
    .patch(
      "/offers/:id",
      async ({ params, body, actor }) => changedAnswer(await updateOffer(deps, actor, params.id, body)),
      {
        params: idParams,
        parse: "json",
        body: offerChangeSchema,
        detail: describe(
          "Change an offer",
          { 200: "Offer", 404: null, 422: null, ...CHANGES },
          "Only what is named changes. Payments that were begun keep their price.",
        ),
      },
    )
    .delete(
      "/offers/:id",
      async ({ params, actor }) => removedAnswer(await deleteOffer(deps, actor, params.id)),
      {
        params: idParams,
        detail: describe("Remove an offer that nobody has seen", {
          204: null,
          404: null,
          409: null,
          ...CHANGES,
        }),
      },
    );
}

function madeAnswer(result: CreateOfferResult) {
  return result.kind === "created" ? status(201, result.offer) : wouldNotWork("offer", result.issues);
}

function changedAnswer(result: UpdateOfferResult) {
  switch (result.kind) {
    case "updated":
    case "unchanged":
      return result.offer;
    case "not_found":
      return noSuchOffer();
    case "invalid":
      return wouldNotWork("offer", result.issues);
  }
}

function removedAnswer(result: DeleteOfferResult) {
  switch (result.kind) {
    case "deleted":
      return status(204);
    case "not_found":
      return noSuchOffer();
    case "in_use":
      return problem(409, {
        detail: "Somebody looked at the offer or bought it; disable it instead: PATCH {enabled: false}.",
      });
  }
}

function unknownBot(username: string): Response {
  return problem(400, {
    detail: `There is no bot @${username}. GET /api/bots lists them.`,
    errors: [{ path: "bot", message: "names no bot" }],
  });
}

function noSuchOffer(): Response {
  return problem(404, { detail: "There is no offer of this number." });
}
