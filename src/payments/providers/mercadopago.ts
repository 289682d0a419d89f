import { isIP } from "node:net";
import { z } from "zod";
import { decimalToMinor, minorToMajor } from "../../money/minor-units.ts";
import { parseJson } from "../../platform/json.ts";
import type { PaymentEvent } from "../decide.ts";
import {
  assertPayable,
  type Checkout,
  type CheckoutRequest,
  type PaymentProvider,
  ProviderError,
  type WebhookReading,
  type WebhookRequest,
} from "./adapter.ts";
import { getFromProvider, type ProviderApi, postToProvider } from "./provider-call.ts";
import { manifestSignatureFault } from "./signature.ts";

interface MercadoPagoSettings {
  readonly accessToken: string;
  /** The secret signature of the application's webhooks. */
  readonly webhookSecret: string;
  /** e.g. `https://api.mercadopago.com`. */
  readonly apiUrl: string;
  readonly timeoutMs?: number | undefined;
}

const notificationSchema = z.looseObject({
  type: z.string().nullish(),
  live_mode: z.boolean().nullish(),
  action: z.string().nullish(),
});

const paymentSchema = z.looseObject({
  id: z.union([z.int(), z.string().min(1)]).transform(String),
  status: z.string(),
  status_detail: z.string().nullish(),
  transaction_amount: z.number(),
  transaction_amount_refunded: z.number().nullish(),
  currency_id: z.string(),
  external_reference: z.string().nullish(),
  date_created: z.string().nullish(),
  date_last_updated: z.string().nullish(),
});
type MercadoPagoPayment = z.output<typeof paymentSchema>;

const createdSchema = z.looseObject({
  id: z.union([z.int(), z.string().min(1)]).transform(String),
  point_of_interaction: z.looseObject({
    transaction_data: z.looseObject({
      qr_code: z.string().min(1),
      ticket_url: z.url({ protocol: /^https?$/ }).nullish(),
    }),
  }),
});

/**
 * Mercado Pago: a Pix payment for each sale. A notification is signed but carries no more than an id; what counts is
 * what the API then says of that payment, which carries our reference as `external_reference`. Source: Mercado Pago's
 * reference, "Create payment" and "Get payment", and its "Webhooks" guide.
 */
export function mercadoPagoProvider(settings: MercadoPagoSettings): PaymentProvider {
  return {
    name: "mercadopago",
    read: (request) => read(settings, request),
    createCheckout: (request) => createPix(settings, request),
  };
}

async function read(
  settings: MercadoPagoSettings,
  { text, headers, query }: WebhookRequest,
): Promise<WebhookReading> {
  const dataId = query.get("data.id");
  const signed = { dataId, requestId: headers.get("x-request-id") };
  const fault = manifestSignatureFault(headers.get("x-signature"), signed, settings.webhookSecret);
  if (fault) return { kind: "forged", reason: fault };
  const notification = notificationSchema.safeParse(parseJson(text));
  if (!notification.success) return { kind: "malformed", reason: "this is no notification of Mercado Pago" };
  const { type, live_mode: isLive, action } = notification.data;
  if ((query.get("type") ?? type) !== "payment") return { kind: "ignored" };
  if (!dataId) return { kind: "malformed", reason: "data.id is missing from the query" };

  const payment = await findPayment(settings, dataId);
  // The panel's simulator names a payment that does not exist. A real one may take a moment to show.
  if (payment === null && isLive === false) return { kind: "ignored" };
  if (payment === null) throw new ProviderError(`Mercado Pago does not know payment ${dataId} (yet)`);
  if (action === "payment.updated" && isAsItWasMade(payment)) {
    throw new ProviderError(`Mercado Pago has updated payment ${dataId}, and shows it as it was made (yet)`);
  }
  return readPayment(payment);
}

/** Whether nothing has become of it, by what the API says; a part of the API may be behind what it notifies of. */
function isAsItWasMade({ status, date_created, date_last_updated }: MercadoPagoPayment): boolean {
  return status === "pending" && date_last_updated != null && date_last_updated === date_created;
}

function readPayment(payment: MercadoPagoPayment): WebhookReading {
  const event = mercadoPagoEvent(payment);
  if (event === null) return { kind: "ignored" };
  const reference = payment.external_reference || null;
  return {
    kind: "event",
    providerRef: reference ?? payment.id,
    event,
    registration: null,
    ...(reference === null && { isProvidersId: true }),
  };
}

function findPayment(settings: MercadoPagoSettings, id: string): Promise<MercadoPagoPayment | null> {
  const thatPayment = paymentSchema.refine((payment) => payment.id === id);
  return getFromProvider(apiOf(settings), `/v1/payments/${encodeURIComponent(id)}`, thatPayment);
}

/** What the state of a payment means; null for a state that is not its last. @throws ProviderError */
function mercadoPagoEvent(payment: MercadoPagoPayment): PaymentEvent | null {
  const { id, status, status_detail: detail, currency_id: currency } = payment;
  switch (status) {
    case "approved": {
      const refunded = payment.transaction_amount_refunded ?? 0;
      return paid(payment, refunded > 0 ? `refunded in part: ${refunded} ${currency}` : undefined);
    }
    case "refunded":
      return { kind: "refunded", chargeId: id };
    case "charged_back":
      // It may be the first that is heard of the money: all earlier notifications are answered with this, too.
      return detail === "reimbursed"
        ? paid(payment, `the chargeback of ${id} was won: the money is back`)
        : { kind: "chargeback", chargeId: id };
    case "cancelled":
    case "expired":
    case "rejected":
      return { kind: "expired" };
    default:
      return null;
  }
}

/** @throws ProviderError */
function paid(
  { id, transaction_amount: amount, currency_id: currency }: MercadoPagoPayment,
  note: string | undefined,
): PaymentEvent {
  const amountMinor = decimalToMinor(amount, currency);
  if (!amountMinor) {
    throw new ProviderError(
      `Mercado Pago's payment ${id} is of ${amount} ${currency}, which cannot be right`,
    );
  }
  return { kind: "paid", amountMinor, currency, note, chargeId: id };
}

async function createPix(settings: MercadoPagoSettings, request: CheckoutRequest): Promise<Checkout> {
  const { reference, title, amountMinor, currency, webhookUrl } = request;
  assertPayable("mercadopago", request);
  if (webhookUrl === null) {
    throw new ProviderError("Mercado Pago needs an address for its notifications: set PUBLIC_URL.", {
      isPermanent: true,
    });
  }
  const body = {
    transaction_amount: minorToMajor(amountMinor, currency),
    description: title,
    payment_method_id: "pix",
    external_reference: reference,
    // Without source_news the older IPN notifications come as well, which are not signed.
    notification_url: `${webhookUrl}?source_news=webhooks`,
    // Required, and Telegram tells nobody's address.
    payer: { email: `pix-${reference}@${mailDomain(webhookUrl)}` },
  };
  const posted = {
    headers: { "content-type": "application/json", "x-idempotency-key": reference },
    body: JSON.stringify(body),
  };
  const created = await postToProvider(apiOf(settings), "/v1/payments", posted, createdSchema);
  const { qr_code: code, ticket_url: url } = created.point_of_interaction.transaction_data;
  return { kind: "pix", providerRef: created.id, code, url: url ?? null };
}

/** Our own domain, where the address stands for the buyer; example.com (reserved) where we have none. */
function mailDomain(url: string): string {
  const { hostname } = new URL(url);
  const isDomain = hostname.includes(".") && isIP(hostname) === 0;
  return isDomain ? hostname : "example.com";
}

function apiOf({ apiUrl, accessToken, timeoutMs }: MercadoPagoSettings): ProviderApi {
  return { provider: "Mercado Pago", apiUrl, secret: accessToken, timeoutMs };
}
