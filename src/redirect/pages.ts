import { gateRefused, notFound, tooManyRequests, unavailable } from "../../views/message.tsx";
import type { Locale } from "../db/define-schema.ts";
import { newId } from "../platform/ids.ts";
import type { Pool } from "../pools/pool.ts";

/** How soon a visitor whom nothing can be served may try again. */
const RETRY_AFTER_SECONDS = 10;

/** The 403 of the gate: one page for every reason. */
export function gateRefusedPage(pool: Pool, locale: Locale): Response {
  // The nonce is the page's only own value; a fixed one keeps the page the same for every refusal.
  return page(403, "0", gateRefused({ locale, nonce: "0", poolName: pool.name, poolSlug: pool.slug }));
}

export function notFoundPage(locale: Locale): Response {
  const nonce = newId();
  return page(404, nonce, notFound({ locale, nonce }));
}

export function tooManyRequestsPage(locale: Locale, retryAfterSeconds: number): Response {
  const nonce = newId();
  return page(429, nonce, tooManyRequests({ locale, nonce }), retryAfterSeconds);
}

export function unavailablePage(locale: Locale): Response {
  const nonce = newId();
  return page(503, nonce, unavailable({ locale, nonce }), RETRY_AFTER_SECONDS);
}

function page(status: number, nonce: string, html: string, retryAfterSeconds?: number): Response {
  return new Response(html, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": `default-src 'none'; style-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      "x-content-type-options": "nosniff",
      ...(retryAfterSeconds !== undefined && { "retry-after": String(retryAfterSeconds) }),
    },
  });
}
