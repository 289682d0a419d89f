import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Database } from "../../src/db/database.ts";
import { startFromOutside } from "../../src/funnel/bot-start.ts";
import { createConversation } from "../../src/funnel/conversation.ts";
import { takeUpdate } from "../../src/funnel/webhook.ts";
import { createSales } from "../../src/payments/sales.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import { findSession } from "../../src/tracking/find-session.ts";
import { nameVisits } from "../../src/tracking/name-visits.ts";
import { testDialect } from "../support/database.ts";
import { type Funnel, openFunnel } from "../support/funnel.ts";
import { heldDatabase } from "../support/held-database.ts";
import { newUser, startUpdate, type TestUser } from "../support/telegram-updates.ts";
import { untilHeldUp } from "../support/until-held-up.ts";

let funnel: Funnel;
beforeAll(async () => {
  funnel = await openFunnel();
});
afterAll(() => funnel.dispose());

const depsOn = (db: Database) => ({
  ...funnel.deps,
  db,
  sales: createSales(funnel.deps.payments),
  consentDenied: "drop" as const,
  // It lies on another machine's disk.
  recallVisit: async () => false,
});

async function byWebhook(db: Database, user: TestUser, token: string) {
  const request = new Request("http://localhost/", {
    method: "POST",
    headers: { "x-telegram-bot-api-secret-token": `secret-of-${funnel.shop.id}` },
    body: JSON.stringify(startUpdate(user, token)),
  });
  const answer = await takeUpdate(depsOn(db), createConversation(), request, String(funnel.shop.id));
  expect(answer.status).toBe(200);
}

async function fromOutside(db: Database, { id }: TestUser, token: string) {
  await startFromOutside(depsOn(db), {
    bot: "shop_bot",
    telegram_user_id: String(id),
    tracking_token: token,
  });
}

describe(`a visit that one machine brings in while another records its start, on ${testDialect}`, () => {
  test.each([
    ["the webhook's start", true, byWebhook],
    ["the visit", false, byWebhook],
    ["the start from outside", true, fromOutside],
    ["the visit", false, fromOutside],
  ])("learns who came by it where %s is committed last", async (_, isStartHeld, startOn) => {
    const { db } = funnel;
    const late = funnel.visit("fbclid=Late");
    const token = late.trackingToken;
    const user = newUser();
    const held = heldDatabase(db);
    const [shop, web] = isStartHeld ? [held.db, db] : [db, held.db];
    const start = () => startOn(shop, user, token);
    const bringIn = async () => {
      await web.transaction((tx) => recordVisits(tx, db.tables, [late]));
      await web.transaction((tx) => nameVisits(tx, db.tables, [token]));
    };
    const [first, second] = isStartHeld ? [start, bringIn] : [bringIn, start];
    const one = first();
    await held.done;
    const other = second();
    await untilHeldUp(db, other);
    held.letGo();
    await Promise.all([one, other]);
    expect(await findSession(db, db.tables, token)).toMatchObject({ userExternalId: String(user.id) });
  });
});
