import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { mercadoPagoProvider } from "../../src/payments/providers/mercadopago.ts";
import { pushinPayProvider } from "../../src/payments/providers/pushinpay.ts";
import { stripeProvider } from "../../src/payments/providers/stripe.ts";
import { fromPushinPay, fromStripe, NOW, SECRET, TOKEN, useProviderApi, webhook } from "./provider-api.ts";

const api = useProviderApi();
const settings = { apiUrl: api.url, webhookSecret: SECRET };
const stripe = stripeProvider({ ...settings, secretKey: TOKEN }, () => NOW);
const mercadopago = mercadoPagoProvider({ ...settings, accessToken: TOKEN });
const pushinpay = pushinPayProvider({ apiUrl: api.url, token: TOKEN, webhookToken: SECRET }, () => NOW);

describe("any bytes at all", () => {
  const anything = fc.record({
    rawBody: fc.oneof(fc.string({ unit: "binary" }), fc.json()),
    header: fc.string({ unit: fc.constantFrom(..."t=v1,0sabc ") }),
    query: fc.dictionary(fc.constantFrom("data.id", "type", "ref"), fc.string()),
  });

  test("are answered by every adapter with a verdict, unsigned ones never with an event", async () => {
    await fc.assert(
      fc.asyncProperty(anything, async ({ rawBody, header, query }) => {
        const headers = new Headers({
          "stripe-signature": header,
          "x-signature": header,
          "x-pushinpay-token": header,
        });
        const request = { ...webhook(rawBody), headers, query: new URLSearchParams(query) };
        for (const provider of [stripe, mercadopago, pushinpay]) {
          expect(await provider.read(request)).toMatchObject({ kind: "forged" });
        }
      }),
    );
    expect(api.asked).toEqual([]);
  });

  test("signed by the provider they are malformed or ignored, and nothing throws", async () => {
    await fc.assert(
      fc.asyncProperty(anything, async ({ rawBody }) => {
        const fine = ["malformed", "ignored"];
        expect(fine).toContain((await stripe.read(fromStripe(rawBody))).kind);
        const unknown = fromPushinPay(rawBody);
        expect(fine).toContain((await pushinpay.read(unknown)).kind);
      }),
    );
  });
});
