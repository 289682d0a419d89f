import { describe, expect, test } from "bun:test";
import { withLimitedDataUse } from "../../src/meta/event.ts";
import { validateEvent } from "../../src/meta/event-limits.ts";
import { initiateCheckoutEvent, leadEvent } from "../../src/meta/step-event.ts";
import { payment, sellingBot, session, sha256 } from "./builders.ts";

const NOW = new Date("2026-05-10T12:06:31Z");
const STARTED_AT = new Date("2026-05-10T12:01:00Z");
const BOT = { userId: "4815162342", fallbackUrl: "https://t.me/ponte_demo_bot" };

describe("a Lead", () => {
  test("carries the session's identity under its own id", async () => {
    const visit = session();
    const event = leadEvent(visit, BOT, STARTED_AT, NOW);
    expect(event).toMatchObject({
      event_name: "Lead",
      event_id: "lead_0196b9c01d2a7f3e8c4d5e6f7a8b9c0d",
      event_time: STARTED_AT.getTime() / 1000,
      event_source_url: "https://go.example.com/go/curso?utm_source=fb",
      user_data: {
        external_id: await sha256("IwAR3xAbCdEfGhIjKlMnOpQrStUvWxYz"),
        fbp: visit.fbp,
        fbc: visit.fbc,
        client_ip_address: visit.clientIp,
        client_user_agent: visit.userAgent,
      },
      custom_data: { utm_source: "fb", utm_campaign: "maio" },
    });
    expect(validateEvent(event, NOW)).toEqual({ kind: "ok" });
  });

  test("of an organic start is the bot user's", async () => {
    const event = leadEvent(null, BOT, STARTED_AT, NOW);
    expect(event.event_id).toBe("lead_4815162342");
    expect(event.event_source_url).toBe(BOT.fallbackUrl);
    expect(event.user_data.external_id).toBe(await sha256("4815162342"));
    expect(validateEvent(event, NOW)).toEqual({ kind: "ok" });
  });
});

describe("an InitiateCheckout", () => {
  test("carries the payment's amount and contents under its own id", async () => {
    const event = initiateCheckoutEvent(payment({ paidAt: null }), session(), sellingBot(), NOW);
    expect(event).toMatchObject({
      event_name: "InitiateCheckout",
      event_id: "checkout_0196b9c9aaaa7bbb8ccc9ddd0eee1fff",
      event_time: Date.parse("2026-05-10T12:05:00Z") / 1000,
      user_data: { external_id: await sha256("IwAR3xAbCdEfGhIjKlMnOpQrStUvWxYz") },
      custom_data: { value: 97, currency: "BRL", content_ids: ["curso-1"], order_id: "pi_3Qx" },
    });
    expect(validateEvent(event, NOW)).toEqual({ kind: "ok" });
  });

  test("of nobody known goes by the payment's own id, rather than be refused", async () => {
    const event = initiateCheckoutEvent(
      payment({ customerUserId: null }),
      null,
      sellingBot({ userId: null }),
      NOW,
    );
    expect(event.user_data.external_id).toBe(await sha256("0196b9c9aaaa7bbb8ccc9ddd0eee1fff"));
    expect(validateEvent(event, NOW)).toEqual({ kind: "ok" });
  });

  test("without a session is the buyer's", async () => {
    const event = initiateCheckoutEvent(payment(), null, sellingBot(), NOW);
    expect(event.user_data.external_id).toBe(await sha256("cliente-17"));
    expect(validateEvent(event, NOW)).toEqual({ kind: "ok" });
  });
});

test("Limited Data Use leaves the event and adds Meta's three keys", () => {
  const event = leadEvent(session(), BOT, STARTED_AT, NOW);
  const limited = withLimitedDataUse(event);
  expect(limited).toEqual({
    ...event,
    data_processing_options: ["LDU"],
    data_processing_options_country: 0,
    data_processing_options_state: 0,
  });
  expect(validateEvent(limited, NOW)).toEqual({ kind: "ok" });
});
