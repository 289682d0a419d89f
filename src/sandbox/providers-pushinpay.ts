import { recentMap } from "./bounded.ts";
import { isJsonObject, parseBody } from "./json.ts";
import { bearer, type ProviderApi, type Webhook, type WebhookOrder } from "./providers-api.ts";
import type { Charge } from "./providers-charges.ts";

/** PushinPay may block who asks for one transaction more often than this. */
const READ_EVERY_MS = 60_000;
const LEAST_CENTS = 50;

/** `POST /api/pix/cashIn`. */
export async function createCharge(api: ProviderApi, request: Request): Promise<Response> {
  if (bearer(request) === null) return refusal(401, "Unauthenticated.");
  const body = parseBody(request, await request.text());
  if (!isJsonObject(body)) return refusal(406, "Formato JSON inválido");
  const { value, webhook_url: url } = body;
  if (!Number.isInteger(value) || Number(value) < LEAST_CENTS) {
    return refusal(422, `O campo value deve ser no mínimo ${LEAST_CENTS}.`);
  }
  if (url !== undefined && (typeof url !== "string" || !URL.canParse(url))) {
    return refusal(422, "O campo webhook_url deve conter uma URL válida.");
  }
  const charge = api.charges.add({
    provider: "pushinpay",
    id: crypto.randomUUID(),
    reference: null,
    amount: String(value),
    currency: "BRL",
    title: "",
    webhookUrl: typeof url === "string" ? url : null,
    returnUrl: null,
    createdAtMs: api.now(),
    state: "created",
    wasProcessing: false,
  });
  return Response.json({
    ...transactionObject(charge),
    value: Number(charge.amount),
    qr_code: codeOf(charge),
  });
}

/** `GET /api/transactions/:id`, at most once a minute for each, or 429. */
export function transactionReader() {
  const lastRead = recentMap<number>(10_000);
  return ({ now, charges }: ProviderApi, request: Request, id: string): Response => {
    if (bearer(request) === null) return refusal(401, "Unauthenticated.");
    const charge = charges.find("pushinpay", id.toLowerCase());
    if (!charge) return Response.json([], { status: 404 });
    const nowMs = now();
    if (nowMs - (lastRead.get(charge.id) ?? Number.NEGATIVE_INFINITY) < READ_EVERY_MS) {
      return refusal(429, "Too Many Requests");
    }
    lastRead.set(charge.id, nowMs);
    return Response.json(transactionObject(charge));
  };
}

/** The webhook, with the id in capitals as it has been seen; not signed, but with the account's own header. */
export function pushinPayWebhook(charge: Charge, order: WebhookOrder): Webhook | null {
  const url = charge.webhookUrl ?? order.url;
  if (url === null) return null;
  const fields = { id: charge.id.toUpperCase(), value: charge.amount, status: STATUS[charge.state] };
  const token = order.signature === "forged" ? "the token of somebody else" : order.secret;
  const isForm = order.format === "form";
  return {
    url,
    headers: {
      "content-type": isForm ? "application/x-www-form-urlencoded" : "application/json",
      "x-pushinpay-token": token,
    },
    body: isForm ? new URLSearchParams(fields).toString() : JSON.stringify(fields),
  };
}

const STATUS: Readonly<Record<Charge["state"], string>> = {
  created: "created",
  processing: "created",
  paid: "paid",
  failed: "canceled",
  expired: "canceled",
  partially_refunded: "paid",
  refunded: "refunded",
  chargeback: "chargeback",
  chargeback_won: "paid",
};

function transactionObject(charge: Charge) {
  const at = new Date(charge.createdAtMs).toISOString();
  return {
    id: charge.id,
    status: STATUS[charge.state],
    // A string here, and a number where it was made: as the documentation shows it.
    value: charge.amount,
    description: "Pagamento PIX",
    payment_type: "pix",
    created_at: at,
    updated_at: at,
    webhook_url: charge.webhookUrl,
    split_rules: [],
    end_to_end_id: null,
    payer_name: null,
    payer_national_registration: null,
    webhook: null,
  };
}

function codeOf({ id }: Charge): string {
  return `00020101021226770014BR.GOV.BCB.PIX2555api.pushinpay.example/pix/${id}5204000053039865802BR6304ABCD`;
}

function refusal(status: number, message: string): Response {
  return Response.json({ message }, { status });
}
