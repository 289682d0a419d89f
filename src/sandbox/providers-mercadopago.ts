import { isJsonObject, parseBody } from "./json.ts";
import {
  bearer,
  hmacHex,
  onceFor,
  type ProviderApi,
  type Webhook,
  type WebhookOrder,
} from "./providers-api.ts";
import type { Charge } from "./providers-charges.ts";

const FIRST_ID = 1_320_000_000;
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** `POST /v1/payments`, for Pix. */
export async function createPayment(api: ProviderApi, request: Request): Promise<Response> {
  if (bearer(request) === null) return refusal(401, "unauthorized");
  const key = request.headers.get("x-idempotency-key");
  if (!key) return refusal(400, "Header X-Idempotency-Key can't be null");
  const text = await request.text();
  const body = parseBody(request, text);
  if (!isJsonObject(body)) return refusal(400, "The body is not valid JSON");
  const { transaction_amount: amount, payer, notification_url: url, external_reference: reference } = body;
  if (typeof amount !== "number" || amount <= 0 || !/^\d+(\.\d{1,2})?$/.test(String(amount))) {
    return refusal(400, "Invalid transaction_amount");
  }
  if (body.payment_method_id !== "pix") return refusal(400, "Unsupported payment_method_id");
  if (!isJsonObject(payer) || typeof payer.email !== "string" || !EMAIL.test(payer.email)) {
    return refusal(400, "payer.email must be a valid email");
  }
  if (url !== undefined && (typeof url !== "string" || !URL.canParse(url))) {
    return refusal(400, "notification_url attribute must be url valid");
  }
  const made = onceFor(api.charges, key, text, () => ({
    provider: "mercadopago",
    id: String(FIRST_ID + api.charges.nextNumber()),
    reference: typeof reference === "string" ? reference : null,
    amount: String(amount),
    currency: "BRL",
    title: typeof body.description === "string" ? body.description : "",
    webhookUrl: typeof url === "string" ? url : null,
    returnUrl: null,
    createdAtMs: api.now(),
    state: "created",
    wasProcessing: false,
  }));
  if (made === null) return refusal(409, "The idempotency key was used with another body");
  return Response.json(paymentObject(made.charge, new URL(request.url).origin), { status: 201 });
}

/** `GET /v1/payments/:id`. */
export function getPayment({ charges }: ProviderApi, request: Request, id: string): Response {
  if (bearer(request) === null) return refusal(401, "unauthorized");
  const charge = charges.find("mercadopago", id);
  if (!charge) return refusal(404, "Payment not found");
  return Response.json(paymentObject(charge, new URL(request.url).origin));
}

/** The signed notification: an id and no more. */
export function mercadoPagoWebhook(charge: Charge, order: WebhookOrder, nowMs: number): Webhook | null {
  const base = charge.webhookUrl ?? order.url;
  if (base === null) return null;
  const url = new URL(base);
  url.searchParams.set("data.id", charge.id);
  url.searchParams.set("type", "payment");
  const requestId = crypto.randomUUID();
  const ts = order.signature === "stale" ? nowMs - 86_400_000 : nowMs;
  const secret = order.signature === "forged" ? "the secret of somebody else" : order.secret;
  const v1 = hmacHex(secret, `id:${charge.id};request-id:${requestId};ts:${ts};`);
  return {
    url: url.href,
    headers: {
      "content-type": "application/json",
      "x-request-id": requestId,
      "x-signature": `ts=${ts},v1=${v1}`,
    },
    body: JSON.stringify({
      action: "payment.updated",
      api_version: "v1",
      data: { id: charge.id },
      date_created: new Date(nowMs).toISOString(),
      id: nowMs,
      live_mode: true,
      type: "payment",
      user_id: "44444",
    }),
  };
}

const STATUS: Readonly<Record<Charge["state"], readonly [status: string, detail: string]>> = {
  created: ["pending", "pending_waiting_transfer"],
  processing: ["in_process", "pending_contingency"],
  paid: ["approved", "accredited"],
  failed: ["rejected", "cc_rejected_other_reason"],
  expired: ["cancelled", "expired"],
  partially_refunded: ["approved", "partially_refunded"],
  refunded: ["refunded", "refunded"],
  chargeback: ["charged_back", "settled"],
  chargeback_won: ["charged_back", "reimbursed"],
};

function paymentObject(charge: Charge, origin: string) {
  const [status, detail] = STATUS[charge.state];
  return {
    id: Number(charge.id),
    date_created: new Date(charge.createdAtMs).toISOString(),
    currency_id: charge.currency,
    description: charge.title,
    external_reference: charge.reference,
    notification_url: charge.webhookUrl,
    payment_method_id: "pix",
    payment_type_id: "bank_transfer",
    point_of_interaction: {
      type: "PIX",
      transaction_data: {
        qr_code: `00020126580014br.gov.bcb.pix0136${pixKeyOf(charge.id)}5204000053039865802BR6304ABCD`,
        qr_code_base64: "iVBORw0KGgo=",
        ticket_url: `${origin}/pay/mercadopago/${charge.id}`,
      },
    },
    status,
    status_detail: detail,
    transaction_amount: Number(charge.amount),
    transaction_amount_refunded: refundedOf(charge),
  };
}

function refundedOf({ state, amount }: Charge): number {
  if (state === "refunded") return Number(amount);
  return state === "partially_refunded" ? 0.01 : 0;
}

/** The Pix key in the code: always the same for a payment. */
function pixKeyOf(id: string): string {
  return `b76aa9c2-2ec4-4110-954e-${id.padStart(12, "0")}`;
}

function refusal(status: number, message: string): Response {
  return Response.json({ message, error: "bad_request", status, cause: [] }, { status });
}
