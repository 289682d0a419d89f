import { Elysia } from "elysia";
import { z } from "zod";
import { createFaults, type Faults } from "./faults.ts";
import type { ProviderApi, Webhook, WebhookOrder } from "./providers-api.ts";
import {
  CHARGE_EVENTS,
  type Charge,
  type ChargeEvent,
  createCharges,
  PROVIDERS,
  type ProviderName,
} from "./providers-charges.ts";
import { type ProviderFault, providerFaultSchema, strikeProvider } from "./providers-faults.ts";
import { createPayment, getPayment } from "./providers-mercadopago.ts";
import { payPage } from "./providers-page.ts";
import { createCharge, transactionReader } from "./providers-pushinpay.ts";
import { createSession, getPaymentIntent } from "./providers-stripe.ts";
import { deliverWebhook, webhookOf } from "./providers-webhooks.ts";
import type { RequestLog } from "./request-log.ts";

const MOST_CHARGES = 20_000;

const name = z.enum(PROVIDERS);
const endpointBody = z.strictObject({ provider: name, url: z.url().optional(), secret: z.string().min(1) });
const eventBody = z.strictObject({
  provider: name,
  /** The provider's id of the charge, or the merchant's reference. */
  charge: z.string(),
  event: z.enum(CHARGE_EVENTS),
  /** Copies of the webhook, all at once; 0 changes the charge and tells nobody. */
  times: z.int().min(0).max(500).default(1),
  signature: z.enum(["good", "forged", "stale"]).default("good"),
  format: z.enum(["json", "form"]).default("json"),
});

/** The secrets until `POST /providers/endpoints` sets others; no webhook address is known before it. */
const DEFAULT_SECRETS: Readonly<Record<ProviderName, string>> = {
  stripe: "whsec_sandbox",
  mercadopago: "mercadopago-sandbox-secret",
  pushinpay: "pushinpay-sandbox-token",
};

type Happen = (charge: Charge, event: ChargeEvent, order?: Partial<WebhookOrder>) => Webhook | null;

interface Endpoint {
  readonly url: string | null;
  readonly secret: string;
}

interface ProviderDeps {
  readonly now: () => number;
  readonly requests: RequestLog;
}

/**
 * Stripe, Mercado Pago and PushinPay, as far as a checkout needs them: their APIs, a page to pay on, and webhooks that
 * are sent when `POST /providers/events` (or the page) says that something happened.
 */
export function providerRoutes({ now, requests }: ProviderDeps) {
  const api: ProviderApi = { now, charges: createCharges(MOST_CHARGES) };
  const endpoints = new Map<ProviderName, Endpoint>();
  const faults = createFaults<ProviderFault>();

  const happen: Happen = (charge, event, order = {}) => {
    if (event === "processing") charge.wasProcessing = true;
    charge.state = event;
    const endpoint = endpoints.get(charge.provider);
    const whole: WebhookOrder = {
      secret: endpoint?.secret ?? DEFAULT_SECRETS[charge.provider],
      url: endpoint?.url ?? null,
      signature: "good",
      format: "json",
      ...order,
    };
    return webhookOf(charge, event, whole, now());
  };

  return new Elysia({ name: "sandbox.providers" })
    .use(apiRoutes(api, requests, faults))
    .use(payRoutes(api, happen))
    .use(controlRoutes(api, happen, endpoints))
    .post("/providers/faults", ({ body, status }) => status(201, faults.add(body)), {
      parse: "json",
      body: providerFaultSchema,
    })
    .get("/providers/faults", () => faults.list())
    .delete("/providers/faults", () => ({ cleared: faults.clear() }));
}

/** The providers' own APIs. */
function apiRoutes(api: ProviderApi, requests: RequestLog, faults: Faults<ProviderFault>) {
  const getTransaction = transactionReader();

  /** Answers a call of a provider's API, unless a fault strikes it. */
  const answer = (provider: ProviderName, request: Request, work: () => Response | Promise<Response>) =>
    requests.record(request, async (note) => {
      note.bodyBytes = Number(request.headers.get("content-length") ?? 0);
      const fault = faults.take((candidate) => candidate.provider === provider);
      if (fault === null) return work();
      note.fault = fault.mode;
      const done = fault.after ? await work() : null;
      const key = request.headers.get("idempotency-key");
      if (fault.mode === "500" && key !== null) api.charges.failed.set(key, true);
      return (await strikeProvider(fault)) ?? done ?? work();
    });

  return new Elysia()
    .post(
      "/v1/checkout/sessions",
      ({ request }) => answer("stripe", request, () => createSession(api, request)),
      { parse: "none" },
    )
    .get("/v1/payment_intents/:id", ({ request, params }) =>
      answer("stripe", request, () => getPaymentIntent(api, request, params.id)),
    )
    .post(
      "/v1/payments",
      ({ request }) => answer("mercadopago", request, () => createPayment(api, request)),
      { parse: "none" },
    )
    .get("/v1/payments/:id", ({ request, params }) =>
      answer("mercadopago", request, () => getPayment(api, request, params.id)),
    )
    .post(
      "/api/pix/cashIn",
      ({ request }) => answer("pushinpay", request, () => createCharge(api, request)),
      { parse: "none" },
    )
    .get("/api/transactions/:id", ({ request, params }) =>
      answer("pushinpay", request, () => getTransaction(api, request, params.id)),
    );
}

/** The page that a buyer pays on. */
function payRoutes(api: ProviderApi, happen: Happen) {
  return new Elysia()
    .get("/pay/:provider/:id", ({ params, status }) => {
      const charge = api.charges.find(params.provider, params.id);
      return charge ? payPage(charge) : status(404, { error: "no such charge" });
    })
    .post(
      "/pay/:provider/:id",
      async ({ params, status }) => {
        const charge = api.charges.find(params.provider, params.id);
        if (!charge) return status(404, { error: "no such charge" });
        const webhook = happen(charge, "paid");
        if (webhook) await deliverWebhook(webhook);
        return charge.returnUrl ? Response.redirect(charge.returnUrl, 303) : payPage(charge);
      },
      { parse: "none" },
    );
}

/** What a test or a demo moves the providers by. */
function controlRoutes(api: ProviderApi, happen: Happen, endpoints: Map<ProviderName, Endpoint>) {
  return new Elysia()
    .get("/providers/charges", () => api.charges.list())
    .post(
      "/providers/endpoints",
      ({ body, status }) => {
        endpoints.set(body.provider, { url: body.url ?? null, secret: body.secret });
        return status(201, { provider: body.provider, url: body.url ?? null });
      },
      { parse: "json", body: endpointBody },
    )
    .post(
      "/providers/events",
      async ({ body, status }) => {
        const { provider, charge: named, event, times, signature, format } = body;
        const charge = api.charges.named(provider, named);
        if (!charge) return status(404, { error: `${provider} has no charge ${named}` });
        const webhook = happen(charge, event, { signature, format });
        if (times > 0 && webhook === null) {
          return status(409, { error: "no webhook address: see POST /providers/endpoints" });
        }
        const copies = webhook === null ? [] : Array.from({ length: times }, () => deliverWebhook(webhook));
        return { charge, deliveries: await Promise.all(copies) };
      },
      { parse: "json", body: eventBody },
    );
}
