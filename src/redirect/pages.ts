import { gateRefused, notFound, tooManyRequests, unavailable } from "../../views/message.tsx";
import type { Locale } from "../db/vocabulary.ts";
import { newId } from "../platform/ids.ts";
import type { Pool } from "../pools/pool.ts";

/** How soon a visitor whom nothing can be served may try again. */
const RETRY_AFTER_SECONDS = 10;

/**
 * The 403 of the gate: one page for every reason, made once for each pool and language. A pool that changed is a new
 * object in the pool cache, and its old pages go with the old object.
 */
export function gateRefusedPages(): (pool: Pool, locale: Locale) => Response {
  const byPool = new WeakMap<Pool, Partial<Record<Locale, Response>>>();
  return (pool, locale) => {
    const pages = byPool.get(pool) ?? {};
    byPool.set(pool, pages);
    // The nonce is the page's only own value; a fixed one keeps the page the same for every refusal.
    pages[locale] ??= page(
      403,
      "0",
      gateRefused({ locale, nonce: "0", poolName: pool.name, poolSlug: pool.slug }),
    );
    return pages[locale].clone();
  };
}

/** The 404 of a link that leads to no pool. */
export function notFoundPage(locale: Locale): Response {
  return freshPage(404, locale, notFound);
}

/** The 429 of who asks too often. */
export function tooManyRequestsPage(locale: Locale, retryAfterSeconds: number): Response {
  return freshPage(429, locale, tooManyRequests, retryAfterSeconds);
}

/** The 503 of a visitor whom nothing can be served now. */
export function unavailablePage(locale: Locale): Response {
  return freshPage(503, locale, unavailable, RETRY_AFTER_SECONDS);
}

function freshPage(
  status: number,
  locale: Locale,
  render: typeof notFound,
  retryAfterSeconds?: number,
): Response {
  const nonce = newId();
  return page(status, nonce, render({ locale, nonce }), retryAfterSeconds);
}

function page(status: number, nonce: string, html: string, retryAfterSeconds?: number): Response {
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": `default-src 'none'; style-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    "x-content-type-options": "nosniff",
    ...(retryAfterSeconds !== undefined && { "retry-after": String(retryAfterSeconds) }),
  };
  return new Response(html, { status, headers });
}
