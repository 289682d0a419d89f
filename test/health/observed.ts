import { createAuthorize, keysWith } from "../../src/api/authorize.ts";
import { paymentsPlugin } from "../../src/payments/plugin.ts";
import { genericProvider } from "../../src/payments/providers/generic.ts";
import { newId } from "../../src/platform/ids.ts";
import { startSandbox } from "../../src/sandbox/app.ts";
import { openDispatcher } from "../../src/services.ts";
import { createTestApp } from "../support/app.ts";
import { genericWebhook } from "../support/generic-webhook.ts";

export const API_KEY = "api-key-of-the-environment-0123456789";
export const WEBHOOK_SECRET = "webhook-secret-of-generic-0123456789";
export const PIXEL = "8880001112223334";
const PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/22B83";

/**
 * The real app on a port of its own, with the sandbox as Meta and Telegram, and a payment provider. Its clock stands
 * still: whose visits fall into two hours is not turned away.
 */
export async function startObserved(environment: Readonly<Record<string, string>> = {}) {
  const sandbox = await startSandbox();
  const now = new Date();
  const settings = {
    API_KEY,
    META_GRAPH_URL: sandbox.url,
    TELEGRAM_API_URL: sandbox.url,
    RATE_LIMIT_PER_HOUR: "20",
    TRUSTED_PROXIES: "127.0.0.1/32",
    PUBLIC_URL: "https://go.example.com",
    GENERIC_WEBHOOK_SECRET: WEBHOOK_SECRET,
    ...environment,
  };
  const own = await createTestApp(settings, (deps) => ({ ...deps, now: () => now }));
  const { deps } = own;
  const authorize = createAuthorize({ ...deps, apiKey: API_KEY });
  // Where the app has the plugin already, its name makes this one the same.
  own.app.use(
    paymentsPlugin({
      ...deps,
      starsUsdMinorPerThousand: null,
      consentDenied: "drop",
      trackingData: async () => null,
      authorize: keysWith("write", authorize),
      providers: new Map([["generic", genericProvider(WEBHOOK_SECRET, deps.now)]]),
    }),
  );
  const base = own.listen();
  const dispatcher = openDispatcher(deps);
  const visitor = someAddress();

  async function scrape(key: string = API_KEY): Promise<string> {
    const response = await fetch(`${base}/metrics`, { headers: { authorization: `Bearer ${key}` } });
    return response.text();
  }

  return {
    ...own,
    sandbox,
    dispatcher,
    base,
    scrape,
    /** The scraped text once it says this: what runs after an answer may come a moment later than the answer. */
    async scraped(line: string | RegExp): Promise<string> {
      for (;;) {
        const text = await scrape();
        if (typeof line === "string" ? text.includes(line) : line.test(text)) return text;
      }
    },
    /** A visit of somebody whom no other test shares the rate limit with. */
    go: (path: string, headers: Record<string, string> = {}) =>
      fetch(`${base}${path}`, {
        headers: { "user-agent": PHONE, "x-forwarded-for": visitor, ...headers },
        redirect: "manual",
      }),
    /** A webhook of the provider `generic`; signed with another secret where `secret` is given. */
    pay(body: object, secret = WEBHOOK_SECRET) {
      return fetch(`${base}/api/payments/webhooks/generic`, genericWebhook(secret, body));
    },
    async dispose() {
      await dispatcher.stop();
      await own.dispose();
      await sandbox.stop();
    },
  };
}

/** An address that nobody else has. */
export function someAddress(): string {
  return `2001:db8:${newId()
    .slice(-12)
    .replace(/(.{4})(?=.)/g, "$1:")}::1`;
}

export type Observed = Awaited<ReturnType<typeof startObserved>>;

/** The names of a scrape's metrics, as queries may use them: a histogram's series have three. */
export function exportedNames(text: string): Set<string> {
  const names = new Set<string>();
  for (const [, name = "", type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    if (type !== "histogram") names.add(name);
    else for (const suffix of ["_bucket", "_sum", "_count"]) names.add(name + suffix);
  }
  return names;
}

/** The value of a series; undefined where it is not there. `labels` in any order. */
export function seriesValue(text: string, name: string, labels: Readonly<Record<string, string>> = {}) {
  for (const [, found, inside = "", value] of text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)) {
    if (found !== name) continue;
    const has = Object.fromEntries(
      [...inside.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, k, v]) => [k, v]),
    );
    if (Object.entries(labels).every(([key, wanted]) => has[key] === wanted)) return Number(value);
  }
  return undefined;
}
