import { hmacSha256Hex } from "../../src/platform/secrets.ts";

export const GENERIC_SECRET = "fault-suite-webhook-secret";
export const SLUG = "shop";

/** A visit that was answered with the bridge page. */
export interface AcknowledgedVisit {
  readonly token: string;
  readonly fbclid: string;
  readonly campaign: string;
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  /** The browser's own cookie, where its report was answered with 204. */
  readonly fbp: string | null;
}

/** A payment whose webhook was answered with 200. */
export interface AcknowledgedPayment {
  readonly id: string;
  readonly token: string;
  readonly amountMinor: number;
}

/** What clients were promised, and what they were refused. */
export interface Ledger {
  readonly visits: AcknowledgedVisit[];
  readonly payments: AcknowledgedPayment[];
  /** Requests that ended without an answer, or with an honest 503. */
  unanswered: number;
  /** Answers that no client should ever see. */
  readonly wrong: string[];
}

export function newLedger(): Ledger {
  return { visits: [], payments: [], unanswered: 0, wrong: [] };
}

/** Any number of visitors at once, from `start` to `stop`; each visits, reports its cookies, and now and then buys. */
export function startLoad(options: {
  readonly ledger: Ledger;
  readonly clients: number;
  readonly random: () => number;
  /** Where the server is now; null while it is being started again. */
  readonly address: () => string | null;
}) {
  const { ledger, clients, random, address } = options;
  let stopping = false;
  let serial = 0;

  async function client(): Promise<void> {
    while (!stopping) {
      const url = address();
      if (url === null) {
        await Bun.sleep(5);
        continue;
      }
      serial++;
      const visit = await visitOnce(url, `IwAR-fault-${serial}`, `campaign-${serial % 7}`, random, ledger);
      if (visit && random() < 0.3)
        await buyOnce(address, visit.token, 1_000 + serial, ledger, () => stopping);
    }
  }

  const running = Array.from({ length: clients }, client);
  return {
    async stop(): Promise<void> {
      stopping = true;
      await Promise.all(running);
    },
  };
}

async function visitOnce(
  url: string,
  fbclid: string,
  campaign: string,
  random: () => number,
  ledger: Ledger,
): Promise<AcknowledgedVisit | null> {
  const sentAtMs = Date.now();
  const page = await answered(`${url}/go/${SLUG}?fbclid=${fbclid}&utm_campaign=${campaign}`, {}, ledger);
  if (page === null) return null;
  const token = /\?start=([0-9a-f]{32})/.exec(page.text)?.[1];
  if (page.status !== 200 || !token) {
    ledger.wrong.push(`visit: ${page.status} ${page.text.slice(0, 100)}`);
    return null;
  }
  const answeredAtMs = Date.now();
  const reported = random() < 0.5 ? await reportCookies(url, token, ledger) : null;
  const visit = { token, fbclid, campaign, sentAtMs, answeredAtMs, fbp: reported };
  ledger.visits.push(visit);
  return visit;
}

async function reportCookies(url: string, token: string, ledger: Ledger): Promise<string | null> {
  const fbp = `fb.1.${Date.now()}.${token.slice(-8).replace(/[a-f]/g, "7")}`;
  const answer = await answered(
    `${url}/api/tracking/cookies`,
    { method: "POST", body: JSON.stringify({ tracking_token: token, _fbp: fbp }) },
    ledger,
  );
  if (answer && answer.status !== 204) ledger.wrong.push(`cookies: ${answer.status} ${answer.text}`);
  return answer?.status === 204 ? fbp : null;
}

/** As a payment provider does: again and again until it is acknowledged. */
async function buyOnce(
  address: () => string | null,
  token: string,
  amountMinor: number,
  ledger: Ledger,
  isStopping: () => boolean,
): Promise<void> {
  while (!isStopping()) {
    const url = address();
    const body = JSON.stringify({
      provider_ref: `order-${token}`,
      status: "paid",
      amount_minor: amountMinor,
      currency: "BRL",
      tracking_token: token,
    });
    const t = Math.floor(Date.now() / 1000);
    const signature = `t=${t},v1=${hmacSha256Hex(GENERIC_SECRET, `${t}.${body}`)}`;
    const answer =
      url === null
        ? null
        : await answered(
            `${url}/api/payments/webhooks/generic`,
            { method: "POST", body, headers: { "x-ponte-signature": signature } },
            ledger,
          );
    if (answer?.status === 200) {
      ledger.payments.push({ id: JSON.parse(answer.text).id, token, amountMinor });
      return;
    }
    if (answer) ledger.wrong.push(`payment: ${answer.status} ${answer.text}`);
    await Bun.sleep(20);
  }
}

/** The answer; null where none came, or a 503 that says when to try again. */
async function answered(url: string, init: RequestInit, ledger: Ledger) {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(20_000) });
    const text = await response.text();
    if (response.status === 503 && response.headers.has("retry-after")) {
      ledger.unanswered++;
      return null;
    }
    return { status: response.status, text };
  } catch {
    ledger.unanswered++;
    return null;
  }
}
