import type { Webhook, WebhookOrder } from "./providers-api.ts";
import type { Charge, ChargeEvent } from "./providers-charges.ts";
import { mercadoPagoWebhook } from "./providers-mercadopago.ts";
import { pushinPayWebhook } from "./providers-pushinpay.ts";
import { stripeWebhook } from "./providers-stripe.ts";

const WEBHOOK_TIMEOUT_MS = 60_000;

/** What the charge's provider sends about it; null where that is nothing, or it has no address to send to. */
export function webhookOf(
  charge: Charge,
  event: ChargeEvent,
  order: WebhookOrder,
  nowMs: number,
): Webhook | null {
  switch (charge.provider) {
    case "stripe":
      return stripeWebhook(charge, event, order, nowMs);
    case "mercadopago":
      return mercadoPagoWebhook(charge, order, nowMs);
    case "pushinpay":
      return pushinPayWebhook(charge, order);
  }
}

/** How the merchant answered one webhook. One attempt: repeating is the caller's choice. */
export async function deliverWebhook({ url, headers, body }: Webhook) {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers,
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(WEBHOOK_TIMEOUT_MS),
    });
    return {
      status: response.status,
      retry_after: response.headers.get("retry-after"),
      body: await response.text(),
    };
  } catch (error) {
    return { status: null, retry_after: null, body: error instanceof Error ? error.message : String(error) };
  }
}
