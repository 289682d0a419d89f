import { afterAll, beforeEach } from "bun:test";
import type { WebhookRequest } from "../../src/payments/providers/adapter.ts";
import { hmacSha256Hex } from "../../src/platform/digests.ts";
import { REFERENCE } from "./payloads.ts";

export const NOW = new Date("2026-05-25T16:02:00Z");
export const SECONDS = NOW.getTime() / 1000;
export const SECRET = "secret-0123456789";
export const TOKEN = "bearer-0123456789";

interface ProviderApi {
  url: string;
  /** What it answers next. */
  answer: { readonly status: number; readonly body: unknown } | "hang";
  /** What it was asked, and the body of the last question. */
  asked: { method: string; path: string; authorization: string | null }[];
  posted: string;
}

/** A provider's API for a file's tests. In each it has been asked nothing yet, and answers 404 unless told otherwise. */
export function useProviderApi(): ProviderApi {
  const untold = () => ({ answer: { status: 404, body: {} }, asked: [], posted: "" });
  const api: ProviderApi = { url: "", ...untold() };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const authorization = request.headers.get("authorization");
      api.asked.push({ method: request.method, path: pathname, authorization });
      api.posted = await request.text();
      const { answer } = api;
      if (answer === "hang")
        await new Promise<void>((resolve) => request.signal.addEventListener("abort", () => resolve()));
      const { status, body } = answer === "hang" ? { status: 500, body: {} } : answer;
      return typeof body === "string" ? new Response(body, { status }) : Response.json(body, { status });
    },
  });
  api.url = server.url.origin;
  beforeEach(() => void Object.assign(api, untold()));
  afterAll(() => server.stop(true));
  return api;
}

export function bodyOf(text: string) {
  return { bytes: new TextEncoder().encode(text), text };
}

/** A webhook as it comes in, about a payment that is ours. */
export function webhook(
  body: object | string,
  headers: Readonly<Record<string, string>> = {},
  query = "",
): WebhookRequest {
  return {
    ...bodyOf(typeof body === "string" ? body : JSON.stringify(body)),
    headers: new Headers(headers),
    query: new URLSearchParams(query),
    isKnown: async () => true,
  };
}

export function fromStripe(body: object | string, { at = SECONDS, secret = SECRET } = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return webhook(text, { "stripe-signature": `t=${at},v1=${hmacSha256Hex(secret, `${at}.${text}`)}` });
}

export function fromPushinPay(body: object | string, headers: Record<string, string> = {}, ref = REFERENCE) {
  return webhook(body, { "x-pushinpay-token": SECRET, ...headers }, ref && `ref=${ref}`);
}

/** What an adapter reads where a payment of ours is told of. */
export const event = (paymentEvent: object, providerRef = REFERENCE) => ({
  kind: "event",
  providerRef,
  event: paymentEvent,
  registration: null,
});

export const PAID = { kind: "paid", amountMinor: 4990, currency: "BRL" };

export const CHECKOUT = {
  reference: REFERENCE,
  title: "Curso",
  amountMinor: 4990,
  currency: "BRL",
  webhookUrl: "https://go.example.com/api/payments/webhooks/mercadopago",
  returnUrl: "https://t.me/shop_bot",
};
