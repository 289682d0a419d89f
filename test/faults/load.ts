import { startToken } from "../support/start-token.ts";
import { type Ledger, type Request, tally } from "./ledger.ts";
import { startProvider } from "./provider.ts";
import { send } from "./send.ts";

export const SLUG = "shop";

interface LoadOptions {
  readonly ledger: Ledger;
  readonly clients: number;
  readonly random: () => number;
  /** Where the server is now; null while it is being started again. */
  readonly address: () => string | null;
  /** The pools that visitors come to, in turn. */
  readonly slugs?: readonly string[];
}

/**
 * How long a client rests between visitors: the faults are what is tested, and a load without a brake only grows queues
 * that outlast them.
 */
const REST_MS = 20;

/** How often a visitor reports cookies, and how often one buys. */
const REPORTS = 0.5;
const BUYS = 0.3;

let serial = 0;

/** Any number of visitors at once, from `start` to `stop`; each visits, reports its cookies, and now and then buys. */
export function startLoad(options: LoadOptions) {
  const { ledger, clients, random, address, slugs = [SLUG] } = options;
  const provider = startProvider({ ledger, address });
  let stopping = false;

  async function client(): Promise<void> {
    while (!stopping) {
      const url = address();
      if (url === null) {
        await Bun.sleep(5);
        continue;
      }
      await Bun.sleep(REST_MS);
      const number = ++serial;
      const token = await visitOnce(url, slugs[number % slugs.length] ?? SLUG, number, ledger);
      if (token === null) continue;
      if (random() < REPORTS) await reportCookies(url, token, ledger);
      if (random() < BUYS) provider.buy(token, 1_000 + number);
    }
  }

  const running = Array.from({ length: clients }, client);
  return {
    /** Resolves when the last visitor is gone and the provider got every payment acknowledged. */
    async stop(): Promise<void> {
      stopping = true;
      await Promise.all(running);
      await provider.drained();
    },
  };
}

/** The visit's token; null where it was not answered with the page. */
async function visitOnce(url: string, slug: string, number: number, ledger: Ledger): Promise<string | null> {
  const fbclid = `IwAR-fault-${number}`;
  const campaign = `campaign-${number % 7}`;
  const sentAtMs = Date.now();
  // Each visitor has an address of its own, for servers that are told to believe it.
  const headers = { "x-forwarded-for": `189.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}` };
  const page = await ask(
    "visit",
    `${url}/go/${slug}?fbclid=${fbclid}&utm_campaign=${campaign}`,
    { headers },
    ledger,
  );
  if (page === null) return null;
  const token = startToken(page.text);
  if (page.status !== 200 || token === "") {
    ledger.wrong.push(`visit: ${page.status} ${page.text.slice(0, 100)}`);
    return null;
  }
  const answeredAtMs = Date.now();
  ledger.slowestVisitMs = Math.max(ledger.slowestVisitMs, answeredAtMs - sentAtMs);
  ledger.visits.push({ token, slug, fbclid, campaign, sentAtMs, answeredAtMs });
  return token;
}

async function reportCookies(url: string, token: string, ledger: Ledger): Promise<void> {
  const fbp = `fb.1.${Date.now()}.${token.slice(-8).replace(/[a-f]/g, "7")}`;
  const body = JSON.stringify({ tracking_token: token, _fbp: fbp });
  const answer = await ask("cookies", `${url}/api/tracking/cookies`, { method: "POST", body }, ledger);
  if (answer?.status === 204) ledger.cookies.push({ token, fbp });
  else if (answer) ledger.wrong.push(`cookies: ${answer.status} ${answer.text}`);
}

/** What was answered; null, and counted, where nothing was or an honest 503. */
async function ask(what: Request, url: string, init: RequestInit, ledger: Ledger) {
  const outcome = await send(url, init);
  return tally(ledger, what, outcome);
}
