import { z } from "zod";
import { toStripeAmount } from "../../offers/stripe-amount.ts";
import { MINUTE_MS } from "../../platform/durations.ts";
import { parseJson } from "../../platform/json.ts";
import {
  assertPayable,
  type Checkout,
  type CheckoutRequest,
  type PaymentProvider,
  type WebhookReading,
  type WebhookRequest,
} from "./adapter.ts";
import { getFromProvider, type ProviderApi, postToProvider } from "./provider-call.ts";
import { timestampedSignatureFault } from "./signature.ts";
import { REFERENCE_KEY, readStripeEvent } from "./stripe-event.ts";

interface StripeSettings {
  readonly secretKey: string;
  /** The signing secret of the webhook endpoint, `whsec_…`. */
  readonly webhookSecret: string;
  /** e.g. `https://api.stripe.com`. */
  readonly apiUrl: string;
  readonly timeoutMs?: number | undefined;
}

/**
 * So long a repeated request gets the same session, and no longer: Stripe keeps a 500, too, for a day. A second session,
 * which nobody is shown, expires. Source: Stripe's API reference, "Idempotent requests".
 */
const SAME_ANSWER_MS = 10 * MINUTE_MS;

const createdSession = z.looseObject({ id: z.string(), url: z.url({ protocol: /^https?$/ }) });
const paymentIntent = z.looseObject({ metadata: z.record(z.string(), z.string()).nullish() });

/**
 * Stripe: a Checkout page for each payment, and webhooks signed with `Stripe-Signature`. Our reference rides as the
 * session's `client_reference_id` and as metadata down to the charge. Source: Stripe's API reference, "Create a
 * Checkout Session" and "Verify webhook signatures".
 */
export function stripeProvider(settings: StripeSettings, now: () => Date): PaymentProvider {
  return {
    name: "stripe",
    read: (request) => read(settings, request, now()),
    createCheckout: (request) => createSession(settings, request, now()),
  };
}

async function read(
  settings: StripeSettings,
  { bytes, text, headers }: WebhookRequest,
  now: Date,
): Promise<WebhookReading> {
  const signature = headers.get("stripe-signature");
  const fault = timestampedSignatureFault(signature, bytes, settings.webhookSecret, now);
  if (fault) return { kind: "forged", reason: fault };
  const reading = readStripeEvent(parseJson(text));
  switch (reading.kind) {
    case "malformed":
    case "ignored":
      return reading;
    case "event":
      return { ...reading, registration: null };
    case "dispute": {
      const providerRef = await referenceOf(settings, reading.paymentIntent);
      if (providerRef === null) return { kind: "ignored" };
      return { kind: "event", providerRef, event: reading.event, registration: null };
    }
  }
}

/** Our reference in a payment intent's metadata; null where it is not a payment of ours. */
async function referenceOf(settings: StripeSettings, id: string): Promise<string | null> {
  const path = `/v1/payment_intents/${encodeURIComponent(id)}`;
  const intent = await getFromProvider(apiOf(settings), path, paymentIntent);
  return intent?.metadata?.[REFERENCE_KEY] || null;
}

async function createSession(
  settings: StripeSettings,
  request: CheckoutRequest,
  now: Date,
): Promise<Checkout> {
  const { reference, title, amountMinor, currency, returnUrl } = request;
  assertPayable("stripe", request);
  const amount = toStripeAmount(amountMinor, currency);
  const form = new URLSearchParams({
    mode: "payment",
    client_reference_id: reference,
    [`metadata[${REFERENCE_KEY}]`]: reference,
    [`payment_intent_data[metadata][${REFERENCE_KEY}]`]: reference,
    "line_items[0][quantity]": "1",
    "line_items[0][price_data][currency]": currency.toLowerCase(),
    "line_items[0][price_data][unit_amount]": String(amount),
    "line_items[0][price_data][product_data][name]": title,
    success_url: returnUrl,
    cancel_url: returnUrl,
  });
  const posted = {
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "idempotency-key": `${reference}-${Math.floor(now.getTime() / SAME_ANSWER_MS)}`,
    },
    body: form.toString(),
  };
  const { id, url } = await postToProvider(apiOf(settings), "/v1/checkout/sessions", posted, createdSession);
  return { kind: "link", providerRef: id, url };
}

function apiOf({ apiUrl, secretKey, timeoutMs }: StripeSettings): ProviderApi {
  return { provider: "Stripe", apiUrl, secret: secretKey, timeoutMs };
}
