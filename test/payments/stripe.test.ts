import { describe, expect, test } from "bun:test";
import { stripeProvider } from "../../src/payments/providers/stripe.ts";
import { REFERENCE, stripeCharge, stripeDispute, stripeEvent, stripeSession } from "./payloads.ts";
import {
  bodyOf,
  CHECKOUT,
  event,
  fromStripe,
  NOW,
  PAID,
  SECONDS,
  SECRET,
  TOKEN,
  useProviderApi,
  webhook,
} from "./provider-api.ts";

const api = useProviderApi();
const stripe = stripeProvider({ apiUrl: api.url, webhookSecret: SECRET, secretKey: TOKEN }, () => NOW);

const STRIPE_CHARGE = "pi_1GszAT2eZvKYlo2CpzrNQ6Bp";

describe("Stripe's documented events", () => {
  test.each([
    ["a paid session", "checkout.session.completed", stripeSession(), PAID],
    ["a delayed payment that came", "checkout.session.async_payment_succeeded", stripeSession(), PAID],
    [
      "yen",
      "checkout.session.completed",
      stripeSession({ amount_total: 1500, currency: "jpy" }),
      { kind: "paid", amountMinor: 1500, currency: "JPY" },
    ],
    [
      "dinars",
      "checkout.session.completed",
      stripeSession({ amount_total: 5120, currency: "kwd" }),
      { kind: "paid", amountMinor: 5120, currency: "KWD" },
    ],
    [
      "krónur",
      "checkout.session.completed",
      stripeSession({ amount_total: 500, currency: "isk" }),
      { kind: "paid", amountMinor: 5, currency: "ISK" },
    ],
    [
      "a page that ran out",
      "checkout.session.expired",
      stripeSession({ payment_status: "unpaid", status: "expired" }),
      { kind: "expired" },
    ],
    [
      "a delayed payment that failed",
      "checkout.session.async_payment_failed",
      stripeSession({ payment_status: "unpaid" }),
      { kind: "expired" },
    ],
    ["a full refund", "charge.refunded", stripeCharge(), { kind: "refunded", chargeId: STRIPE_CHARGE }],
  ])("%s", async (_, type, object, expected) => {
    const reading = await stripe.read(fromStripe(stripeEvent(type, object)));
    expect(reading).toMatchObject(event(expected));
    expect(api.asked).toEqual([]);
  });

  test("a partial refund is noted, with the amount as Stripe has it", async () => {
    const charge = stripeCharge({ refunded: false, amount_refunded: 100 });
    const reading = await stripe.read(fromStripe(stripeEvent("charge.refunded", charge)));
    expect(reading).toMatchObject(
      event({ kind: "noted", note: expect.stringContaining("refunded in part: 100 BRL") }),
    );
  });

  test.each([
    ["opened", "charge.dispute.created", "needs_response", { kind: "chargeback", chargeId: STRIPE_CHARGE }],
    ["lost", "charge.dispute.closed", "lost", { kind: "chargeback", chargeId: STRIPE_CHARGE }],
    ["won", "charge.dispute.closed", "won", { kind: "noted" }],
    ["only an inquiry", "charge.dispute.created", "warning_needs_response", { kind: "noted" }],
    ["an inquiry that was closed", "charge.dispute.closed", "warning_closed", { kind: "noted" }],
  ])("a dispute that is %s, known by its payment intent's metadata", async (_, type, status, expected) => {
    api.answer = {
      status: 200,
      body: { id: "pi_1", object: "payment_intent", metadata: { reference: REFERENCE } },
    };
    const reading = await stripe.read(fromStripe(stripeEvent(type, stripeDispute({ status }))));
    expect(reading).toMatchObject(event(expected));
    expect(api.asked).toEqual([
      {
        method: "GET",
        path: "/v1/payment_intents/pi_1GszAT2eZvKYlo2CpzrNQ6Bp",
        authorization: `Bearer ${TOKEN}`,
      },
    ]);
  });

  test.each([
    [
      "a session that is not paid yet",
      "checkout.session.completed",
      stripeSession({ payment_status: "unpaid" }),
    ],
    [
      "a session with nothing to pay",
      "checkout.session.completed",
      stripeSession({ payment_status: "no_payment_required", amount_total: 0 }),
    ],
    ["a refund of what is not ours", "charge.refunded", stripeCharge({ metadata: {} })],
    ["a dispute over no payment intent", "charge.dispute.created", stripeDispute({ payment_intent: null })],
    ["another kind", "customer.created", { id: "cus_1", object: "customer" }],
    ["a kind that Stripe invents later", "unicorn.saddled", {}],
  ])("%s is ignored", async (_, type, object) => {
    expect(await stripe.read(fromStripe(stripeEvent(type, object)))).toEqual({ kind: "ignored" });
  });

  test("a dispute over what is not ours is ignored", async () => {
    api.answer = { status: 200, body: { id: "pi_1", metadata: {} } };
    const dispute = stripeEvent("charge.dispute.created", stripeDispute());
    expect(await stripe.read(fromStripe(dispute))).toEqual({ kind: "ignored" });
  });

  test("a session of somebody's own is known by its metadata, else by its id", async () => {
    const completed = (changes: object) =>
      stripe.read(fromStripe(stripeEvent("checkout.session.completed", stripeSession(changes))));
    expect(await completed({ client_reference_id: null })).toMatchObject({ providerRef: REFERENCE });
    expect(await completed({ client_reference_id: null, metadata: {} })).toMatchObject({
      providerRef: "cs_test_a11YYufWQzNY63zpQ6QSNRQhkUpVph4WRmzW0zWJO2znZKdVujZ0N0S22u",
    });
  });

  test.each([
    ["no JSON", "not json"],
    ["a list", "[]"],
    ["no type", stripeEvent("", {}) && "{}"],
    ["a session without an id", stripeEvent("checkout.session.completed", { payment_status: "paid" })],
    ["a float", stripeEvent("checkout.session.completed", stripeSession({ amount_total: 49.9 }))],
    ["nothing to pay", stripeEvent("checkout.session.completed", stripeSession({ amount_total: 0 }))],
    ["a negative amount", stripeEvent("checkout.session.completed", stripeSession({ amount_total: -1 }))],
    ["a huge amount", stripeEvent("checkout.session.completed", stripeSession({ amount_total: 1e300 }))],
    ["an unknown currency", stripeEvent("checkout.session.completed", stripeSession({ currency: "brx" }))],
    [
      "half a króna",
      stripeEvent("checkout.session.completed", stripeSession({ currency: "isk", amount_total: 550 })),
    ],
    ["a refund without a charge", stripeEvent("charge.refunded", {})],
  ])("signed, and %s: malformed", async (_, body) => {
    expect(await stripe.read(fromStripe(body))).toMatchObject({ kind: "malformed" });
  });

  const paid = JSON.stringify(stripeEvent("checkout.session.completed", stripeSession()));
  test.each([
    ["another secret", fromStripe(paid, { secret: "somebody-else-01" })],
    ["six minutes old", fromStripe(paid, { at: SECONDS - 360 })],
    ["from the future", fromStripe(paid, { at: SECONDS + 360 })],
    ["no signature", webhook(paid)],
    ["an empty one", webhook(paid, { "stripe-signature": "" })],
    ["one without v1", webhook(paid, { "stripe-signature": `t=${SECONDS},v0=abc` })],
    ["a body cut short", { ...fromStripe(paid), ...bodyOf(paid.slice(0, -1)) }],
    ["a body with a space more", { ...fromStripe(paid), ...bodyOf(`${paid} `) }],
    [
      "another time beside the same signature",
      webhook(paid, {
        "stripe-signature": (fromStripe(paid).headers.get("stripe-signature") ?? "").replace(
          /t=\d+/,
          `t=${SECONDS - 1}`,
        ),
      }),
    ],
  ])("%s: forged", async (_, request) => {
    expect(await stripe.read(request)).toMatchObject({ kind: "forged" });
  });

  test("while a secret is being changed, one good signature of two is enough", async () => {
    const good = fromStripe(paid).headers.get("stripe-signature") ?? "";
    const two = good.replace(",", `,v1=${"0".repeat(64)},`);
    expect(await stripe.read(webhook(paid, { "stripe-signature": two }))).toMatchObject({ kind: "event" });
  });
});

test("our reference rides down to Stripe's charge, by which refunds and disputes are known", async () => {
  api.answer = { status: 200, body: { id: "cs_1", url: "https://checkout.stripe.com/c/1" } };
  await stripe.createCheckout?.(CHECKOUT);
  expect(Object.fromEntries(new URLSearchParams(api.posted))).toMatchObject({
    client_reference_id: REFERENCE,
    "payment_intent_data[metadata][reference]": REFERENCE,
  });
});
