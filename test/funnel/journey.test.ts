import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { testDialect } from "../support/database.ts";
import { API_KEY, type Funnel, GENERIC_SECRET, openFunnel, PIXEL } from "../support/funnel.ts";
import { genericWebhook } from "../support/generic-webhook.ts";
import { buttonUpdate, newUser, startUpdate } from "../support/telegram-updates.ts";

let funnel: Funnel;
beforeAll(async () => {
  funnel = await openFunnel();
});
afterAll(() => funnel.dispose());

/** The payment provider's word that somebody paid. */
function paid(providerRef: string) {
  const report = { provider_ref: providerRef, status: "paid" };
  return fetch(`${funnel.url}/api/payments/webhooks/generic`, genericWebhook(GENERIC_SECRET, report));
}

describe(`one visitor's whole way on ${testDialect}`, () => {
  test("ad click, bridge, /start, offer, buy, paid, delivered: each hop once, and Meta hears of it once", async () => {
    const { db, dispatcher, sandbox, shop } = funnel;
    const offer = await funnel.addOffer({ provider: "generic" });

    const page = await funnel.request("/go/shop?fbclid=IwAR0JourneyAbC&utm_campaign=summer", {
      headers: { "user-agent": "Mozilla/5.0 (iPhone)" },
    });
    const link = /https:\/\/t\.me\/(shop_bot|other_bot)\?start=([0-9a-f]{32})/.exec(await page.text());
    const token = link?.[2] ?? "";
    expect(link?.[1]).toBe("shop_bot");

    const user = newUser();
    await funnel.push(startUpdate(user, token));
    await dispatcher.drain();
    await funnel.push(buttonUpdate(user, `offer:${offer.id}`));
    await dispatcher.drain();
    await funnel.push(buttonUpdate(user, `buy:${offer.id}`));
    await dispatcher.drain();
    const [payment] = await db
      .select()
      .from(db.tables.payments)
      .where(eq(db.tables.payments.trackingToken, token));
    const answers = await Promise.all(Array.from({ length: 20 }, () => paid(payment?.providerRef ?? "")));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    await dispatcher.drain();

    const texts = funnel.chat(user.id).map(({ params }) => String(params.text ?? params.caption));
    expect(texts).toEqual([
      expect.stringContaining("Olá, Ana!"),
      expect.stringContaining("Tudo sobre pontes"),
      expect.stringContaining(`pix-${payment?.id}`),
      expect.stringContaining("https://example.com/course"),
    ]);

    const response = await funnel.request(`/api/sessions/${token}`, {
      headers: { authorization: `Bearer ${API_KEY}` },
    });
    const timeline = await response.json();
    const steps = timeline.steps.map(
      (step: { kind: string; event_name?: string }) => step.event_name ?? step.kind,
    );
    for (const [earlier, later] of [
      ["click", "started"],
      ["started", "offer_viewed"],
      ["offer_viewed", "checkout_started"],
      ["checkout_started", "paid"],
      ["paid", "delivered"],
    ]) {
      expect(steps.filter((step: string) => step === later)).toHaveLength(1);
      expect(steps.indexOf(earlier)).toBeLessThan(steps.indexOf(later));
    }
    expect(timeline.session).toMatchObject({ tracking_token: token });

    const events = sandbox.events.list({}, 100).filter((event) => event.pixel_id === PIXEL);
    const [pageView, purchase, ...more] = events.map(({ event }) => event);
    expect(more).toEqual([]);
    expect(pageView).toMatchObject({ event_name: "PageView", event_id: `evt_${token}` });
    expect(purchase).toMatchObject({
      event_name: "Purchase",
      event_id: `purchase_${payment?.id}`,
      user_data: {
        fbc: expect.stringMatching(/\.IwAR0JourneyAbC$/),
        client_user_agent: "Mozilla/5.0 (iPhone)",
      },
      custom_data: { value: 49.9, currency: "BRL", utm_campaign: "summer" },
    });
    expect(shop.id).toBe(payment?.botId ?? 0);
  });
});
