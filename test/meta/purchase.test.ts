import { describe, expect, test } from "bun:test";
import { validateEvent } from "../../src/meta/event-limits.ts";
import { purchaseEvent } from "../../src/meta/purchase.ts";
import { UNKNOWN_USER_AGENT } from "../../src/meta/session-facts.ts";
import { hashedCustomer } from "../../src/meta/user-data.ts";
import { payment, sellingBot, session, sha256 } from "./builders.ts";

const NOW = new Date("2026-05-10T12:06:31Z");
const DAY_MS = 86_400_000;

describe("a Purchase", () => {
  test("says who bought what for how much, and from which ad", async () => {
    const customer = hashedCustomer({ email: "maria@example.com" });
    expect(purchaseEvent(payment({ customer }), session(), sellingBot(), NOW)).toEqual({
      event_name: "Purchase",
      event_time: Date.parse("2026-05-10T12:05:00Z") / 1000,
      event_id: "purchase_0196b9c9aaaa7bbb8ccc9ddd0eee1fff",
      action_source: "website",
      event_source_url: "https://go.example.com/go/curso?utm_source=fb",
      user_data: {
        em: await sha256("maria@example.com"),
        external_id: await sha256("cliente-17"),
        client_ip_address: "2804:14c:65d1:8a2f::17",
        client_user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) [FBAN/FBIOS]",
        fbc: "fb.1.1778414400000.IwAR3xAbCdEfGhIjKlMnOpQrStUvWxYz",
        fbp: "fb.1.1778414400000.1234567890",
      },
      custom_data: {
        utm_source: "fb",
        utm_campaign: "maio",
        value: 97,
        currency: "BRL",
        content_ids: ["curso-1"],
        content_name: "Curso",
        content_type: "product",
        order_id: "pi_3Qx",
      },
    });
  });

  test("without a session goes with what is known, and Meta takes it", async () => {
    const event = purchaseEvent(payment({ customerUserId: null }), null, sellingBot(), NOW);
    expect(event.event_source_url).toBe("https://t.me/ponte_demo_bot");
    expect(event.user_data).toEqual({
      external_id: await sha256("4815162342"),
      client_user_agent: UNKNOWN_USER_AGENT,
    });
    expect(validateEvent(event, NOW)).toEqual({ kind: "ok" });
  });

  test("without content, provider reference or UTMs leaves their keys out", () => {
    const bare = payment({ content: null, providerRef: null });
    expect(purchaseEvent(bare, null, sellingBot(), NOW).custom_data).toEqual({
      value: 97,
      currency: "BRL",
      order_id: bare.id,
    });
    const emptyContent = payment({ content: { ids: [""], name: "" } });
    expect(purchaseEvent(emptyContent, null, sellingBot(), NOW).custom_data).toEqual({
      value: 97,
      currency: "BRL",
      order_id: "pi_3Qx",
    });
  });

  test("calls contents with ids products where nothing else is said", () => {
    const event = purchaseEvent(payment({ content: { ids: ["a"] } }), null, sellingBot(), NOW);
    expect(event.custom_data?.content_type).toBe("product");
    const said = payment({ content: { ids: ["a"], type: "product_group" } });
    expect(purchaseEvent(said, null, sellingBot(), NOW).custom_data?.content_type).toBe("product_group");
  });

  test("in Stars is told in dollars at the pool's rate, and refused before sending without one", () => {
    const stars = payment({ amountMinor: 500, currency: "XTR" });
    const rated = purchaseEvent(stars, session(), sellingBot({ starsUsdMinorPerThousand: 1300 }), NOW);
    expect(rated.custom_data).toMatchObject({ value: 6.5, currency: "USD" });
    const unrated = purchaseEvent(stars, session(), sellingBot(), NOW);
    expect(unrated.custom_data).not.toContainAnyKeys(["value", "currency"]);
    expect(validateEvent(unrated, NOW)).toMatchObject({ kind: "invalid" });
  });
});

describe("a Purchase's external_id", () => {
  test("is the bot user's where the operator gave no customer id", async () => {
    for (const customerUserId of [null, "", "  "]) {
      const { user_data } = purchaseEvent(payment({ customerUserId }), session(), sellingBot(), NOW);
      expect(user_data.external_id).toBe(await sha256("4815162342"));
    }
  });

  test("is left out where neither is known: the click id never stands in", () => {
    const nobody = sellingBot({ userId: null });
    const { user_data } = purchaseEvent(payment({ customerUserId: null }), session(), nobody, NOW);
    expect(user_data).not.toContainKey("external_id");
    expect(user_data.fbc).toBeString();
  });

  test("is an id of Ponte's own where Meta would otherwise refuse the sale", async () => {
    const nobody = sellingBot({ userId: null });
    const faceless = session({ fbclid: null, fbc: null, fbp: null, clientIp: "10.0.0.1" });
    const sale = payment({ customerUserId: null });
    const withSession = purchaseEvent(sale, faceless, nobody, NOW);
    const without = purchaseEvent(sale, null, nobody, NOW);
    expect(withSession.user_data.external_id).toBe(await sha256(faceless.trackingToken));
    expect(without.user_data.external_id).toBe(await sha256(sale.id));
    expect(validateEvent(withSession, NOW)).toEqual({ kind: "ok" });
    expect(validateEvent(without, NOW)).toEqual({ kind: "ok" });
  });
});

describe("a Purchase's event_time", () => {
  const timeOf = (createdAgoMs: number, paidAt: Date | null) =>
    purchaseEvent(
      payment({ createdAt: new Date(NOW.getTime() - createdAgoMs), paidAt }),
      null,
      sellingBot(),
      NOW,
    ).event_time;
  const seconds = (ms: number) => Math.floor(ms / 1000);
  const paidAt = new Date(NOW.getTime() - 5000);

  test("is created_at up to a day short of seven days, so that a pixel may be paused meanwhile", () => {
    const ago = 6 * DAY_MS;
    expect(timeOf(ago, paidAt)).toBe(seconds(NOW.getTime() - ago));
  });

  test("is paid_at where created_at is older", () => {
    expect(timeOf(6 * DAY_MS + 1, paidAt)).toBe(seconds(paidAt.getTime()));
    expect(timeOf(60 * DAY_MS, paidAt)).toBe(seconds(paidAt.getTime()));
  });

  test("is now where paid_at is not known", () => {
    expect(timeOf(60 * DAY_MS, null)).toBe(seconds(NOW.getTime()));
  });

  test("is never in the future", () => {
    expect(timeOf(-90_000, paidAt)).toBe(seconds(NOW.getTime()));
    expect(timeOf(60 * DAY_MS, new Date(NOW.getTime() + 60_000))).toBe(seconds(NOW.getTime()));
  });
});
