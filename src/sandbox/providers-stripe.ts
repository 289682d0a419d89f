import {
  bearer,
  hmacHex,
  onceFor,
  type ProviderApi,
  randomHex,
  type Webhook,
  type WebhookOrder,
} from "./providers-api.ts";
import type { Charge, ChargeEvent } from "./providers-charges.ts";

/** Parameters of `POST /v1/checkout/sessions` that this stand-in knows; Stripe refuses what it does not know. */
const PARAMETERS =
  /^(mode|client_reference_id|success_url|cancel_url|metadata\[\w+\]|payment_intent_data\[metadata\]\[\w+\]|line_items\[0\]\[(quantity|price_data\]\[(currency|unit_amount|product_data\]\[name))\])$/;
const ITEM = "line_items[0][price_data]";
const THREE_DECIMALS = ["BHD", "JOD", "KWD", "OMR", "TND"];
const WHOLE_AS_CENTS = ["ISK", "UGX"];
const STALE_SECONDS = 600;
/** Says that an answer is the one that the idempotency key got before. */
const REPLAYED = { "idempotent-replayed": "true" };

/** `POST /v1/checkout/sessions`. */
export async function createSession(api: ProviderApi, request: Request): Promise<Response> {
  if (bearer(request)?.startsWith("sk_") !== true) return refusal(401, "Invalid API Key provided");
  const type = request.headers.get("content-type") ?? "";
  if (!type.startsWith("application/x-www-form-urlencoded")) return refusal(400, "Invalid request body");
  const text = await request.text();
  const form = new URLSearchParams(text);
  const unknown = [...form.keys()].find((name) => !PARAMETERS.test(name));
  if (unknown !== undefined) return refusal(400, `Received unknown parameter: ${unknown}`);
  const currency = (form.get(`${ITEM}[currency]`) ?? "").toUpperCase();
  const amount = form.get(`${ITEM}[unit_amount]`) ?? "";
  const fault = sessionFault(form, currency, amount);
  if (fault !== null) return refusal(400, fault);
  const key = request.headers.get("idempotency-key");
  if (key !== null && api.charges.failed.get(key)) {
    return Response.json(
      { error: { message: "Internal Server Error", type: "api_error" } },
      { status: 500, headers: REPLAYED },
    );
  }
  const made = onceFor(api.charges, key, text, () => ({
    provider: "stripe",
    id: `cs_test_${randomHex(24)}`,
    reference: form.get("client_reference_id"),
    amount,
    currency,
    title: form.get(`${ITEM}[product_data][name]`) ?? "",
    webhookUrl: null,
    returnUrl: form.get("success_url"),
    createdAtMs: api.now(),
    metadata: {
      session: fieldsOf(form, "metadata"),
      payment: fieldsOf(form, "payment_intent_data[metadata]"),
    },
    state: "created",
    wasProcessing: false,
  }));
  if (made === null) {
    return refusal(400, "Keys for idempotent requests can only be used with the same parameters");
  }
  return Response.json(sessionObject(made.charge, new URL(request.url).origin), {
    headers: made.isNew ? {} : REPLAYED,
  });
}

/** `<parent>[<key>]=<value>`, as Stripe writes objects in forms. */
function fieldsOf(form: URLSearchParams, parent: string): Record<string, string> {
  const fields = [...form].filter(([name]) => name.startsWith(`${parent}[`));
  return Object.fromEntries(fields.map(([name, value]) => [name.slice(parent.length + 1, -1), value]));
}

function sessionFault(form: URLSearchParams, currency: string, amount: string): string | null {
  if (form.get("mode") !== "payment") return "You must provide one of the following: mode";
  if (!URL.canParse(form.get("success_url") ?? "")) return "Not a valid URL: success_url";
  if (form.get("line_items[0][quantity]") !== "1") return "Invalid integer: line_items[0][quantity]";
  if (!form.get(`${ITEM}[product_data][name]`)) return "Missing required param: product_data[name]";
  if (!/^[A-Z]{3}$/.test(currency)) return `Invalid currency: ${currency.toLowerCase()}`;
  if (!/^[1-9]\d{0,7}$/.test(amount)) return `Invalid integer: ${amount}`;
  if (THREE_DECIMALS.includes(currency) && !amount.endsWith("0")) return "amount must be divisible by 10";
  if (WHOLE_AS_CENTS.includes(currency) && !amount.endsWith("00")) return "amount must be divisible by 100";
  return null;
}

/** `GET /v1/payment_intents/:id`. */
export function getPaymentIntent({ charges }: ProviderApi, request: Request, id: string): Response {
  if (bearer(request)?.startsWith("sk_") !== true) return refusal(401, "Invalid API Key provided");
  const charge = charges.list().find((one) => one.provider === "stripe" && intentOf(one) === id);
  if (!charge) return refusal(404, `No such payment_intent: '${id}'`);
  return Response.json({
    id,
    object: "payment_intent",
    amount: Number(charge.amount),
    currency: charge.currency.toLowerCase(),
    latest_charge: chargeIdOf(charge),
    livemode: false,
    metadata: charge.metadata?.payment ?? {},
    status: "succeeded",
  });
}

/** The signed webhook for what has happened; null for what Stripe has no event for. */
export function stripeWebhook(
  charge: Charge,
  event: ChargeEvent,
  order: WebhookOrder,
  nowMs: number,
): Webhook | null {
  const what = eventOf(charge, event);
  if (what === null || order.url === null) return null;
  const created = Math.floor(nowMs / 1000);
  const body = JSON.stringify({
    id: `evt_${randomHex(12)}`,
    object: "event",
    api_version: "2025-09-30.clover",
    created,
    data: { object: what.object },
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type: what.type,
  });
  const t = order.signature === "stale" ? created - STALE_SECONDS : created;
  const secret = order.signature === "forged" ? "whsec_of_somebody_else" : order.secret;
  return {
    url: order.url,
    headers: {
      "content-type": "application/json; charset=utf-8",
      "stripe-signature": `t=${t},v1=${hmacHex(secret, `${t}.${body}`)}`,
    },
    body,
  };
}

function eventOf(charge: Charge, event: ChargeEvent): { type: string; object: object } | null {
  const session = () => sessionObject(charge, "https://checkout.stripe.com");
  switch (event) {
    case "processing":
      return { type: "checkout.session.completed", object: session() };
    case "paid":
      return {
        type: charge.wasProcessing
          ? "checkout.session.async_payment_succeeded"
          : "checkout.session.completed",
        object: session(),
      };
    case "failed":
      return { type: "checkout.session.async_payment_failed", object: session() };
    case "expired":
      return { type: "checkout.session.expired", object: session() };
    case "partially_refunded":
      return { type: "charge.refunded", object: chargeObject(charge, 1) };
    case "refunded":
      return { type: "charge.refunded", object: chargeObject(charge, Number(charge.amount)) };
    case "chargeback":
      return { type: "charge.dispute.created", object: disputeObject(charge, "needs_response") };
    case "chargeback_won":
      return { type: "charge.dispute.closed", object: disputeObject(charge, "won") };
  }
}

function sessionObject(charge: Charge, origin: string) {
  const isPaid = !["created", "processing", "failed", "expired"].includes(charge.state);
  return {
    id: charge.id,
    object: "checkout.session",
    amount_subtotal: Number(charge.amount),
    amount_total: Number(charge.amount),
    client_reference_id: charge.reference,
    created: Math.floor(charge.createdAtMs / 1000),
    currency: charge.currency.toLowerCase(),
    customer: null,
    customer_details: isPaid
      ? { email: "jenny.rosen@example.com", name: "Jenny Rosen", phone: null, address: null }
      : null,
    expires_at: Math.floor(charge.createdAtMs / 1000) + 86_400,
    livemode: false,
    metadata: charge.metadata?.session ?? {},
    mode: "payment",
    payment_intent: isPaid ? intentOf(charge) : null,
    payment_status: isPaid ? "paid" : "unpaid",
    status: sessionStatus(charge),
    success_url: charge.returnUrl,
    url: charge.state === "created" ? `${origin}/pay/stripe/${charge.id}` : null,
  };
}

function sessionStatus({ state }: Charge): string {
  if (state === "created") return "open";
  return state === "expired" ? "expired" : "complete";
}

function chargeObject(charge: Charge, refunded: number) {
  return {
    id: chargeIdOf(charge),
    object: "charge",
    amount: Number(charge.amount),
    amount_captured: Number(charge.amount),
    amount_refunded: refunded,
    currency: charge.currency.toLowerCase(),
    livemode: false,
    metadata: charge.metadata?.payment ?? {},
    paid: true,
    payment_intent: intentOf(charge),
    refunded: refunded === Number(charge.amount),
    status: "succeeded",
  };
}

function disputeObject(charge: Charge, status: string) {
  return {
    id: `du_${charge.id.slice(-24)}`,
    object: "dispute",
    amount: Number(charge.amount),
    charge: chargeIdOf(charge),
    currency: charge.currency.toLowerCase(),
    livemode: false,
    metadata: {},
    payment_intent: intentOf(charge),
    reason: "fraudulent",
    status,
  };
}

function intentOf({ id }: Charge): string {
  return `pi_${id.slice(-24)}`;
}

function chargeIdOf({ id }: Charge): string {
  return `ch_${id.slice(-24)}`;
}

function refusal(status: number, message: string): Response {
  return Response.json({ error: { message, type: "invalid_request_error" } }, { status });
}
