import { z } from "zod";
import { failureText } from "../../src/cli/failure.ts";
import { duration, table } from "../../src/cli/print.ts";
import { readConfig } from "../../src/config.ts";
import { isRecord } from "../../src/platform/json.ts";
import { DEMO_BOT } from "./prepare.ts";
import { sandboxClient } from "./sandbox-client.ts";
import { localUrl } from "./settings.ts";

/**
 * `./scripts/visitor`: one visitor of the running demo, from click to delivery, over HTTP only; Telegram, Meta and the
 * payment provider are the sandbox beside it.
 */

const PHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

const timelineSchema = z.object({
  payments: z.array(z.object({ id: z.string() })),
  steps: z.array(
    z.object({
      kind: z.string(),
      at: z.string(),
      after_ms: z.number().nullable(),
      event_name: z.string().nullable(),
      event_id: z.string().nullable(),
      status: z.string().nullable(),
      detail: z.string().nullable(),
    }),
  ),
});

const routesSchema = z.object({
  routes: z.array(
    z.object({
      destination: z.string(),
      route: z.string(),
      state: z.string(),
      paused_reason: z.string().nullable(),
    }),
  ),
});

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const apiKey = process.env.API_KEY;
  if (!apiKey) {
    throw new Error(
      "API_KEY is not set. ./scripts/start prints this command with the key; a key of your own stands in its API_KEY.",
    );
  }
  const ponte = localUrl(config);
  const sandbox = sandboxClient(`http://127.0.0.1:${config.port + 1}`, () => pausedRoutes(ponte, apiKey));
  const started = performance.now();
  const hop = (name: string, said: string) =>
    console.log(`${duration(performance.now() - started).padStart(8)}  ${name.padEnd(10)}  ${said}`);

  const click = `IwARdemo${crypto.randomUUID().replaceAll("-", "")}`;
  const visit = await openLink(`${ponte}/go/demo?grim=demo&fbclid=${click}&utm_source=facebook`);
  await timelineOf(ponte, apiKey, visit.token); // A wrong key is said at once, not at the payment.
  hop("click", `GET /go/demo answered ${visit.status}: the bridge page, token ${visit.token}`);

  const reported = await report(ponte, visit);
  hop("beacon", `the page sent ${Object.keys(visit.cookies).join(" and ")}: ${reported}`);

  const pageView = await sandbox.event("PageView", `evt_${visit.token}`);
  hop("PageView", `Meta has ${pageView.event_id}`);

  const chat = sandbox.chat(DEMO_BOT.token);
  const welcome = await chat.say(`/start ${visit.token}`);
  hop("/start", `the bot answered: ${firstLine(welcome.text)}`);
  const offer = await chat.tap(welcome, "offer:");
  hop("offer", firstLine(offer.text));
  const invoice = await chat.tap(offer, "buy:");
  hop("checkout", `${firstLine(invoice.text)}, with a Pix code to copy`);

  const payment = (await timelineOf(ponte, apiKey, visit.token)).payments[0];
  if (!payment) throw new Error("no payment was registered");
  const bought = chat.next();
  hop(
    "payment",
    `paid at the provider; our webhook answered ${await sandbox.pay("mercadopago", payment.id)}`,
  );
  hop("delivery", `the bot sent: ${lastLine((await bought).text)}`);

  const purchase = await sandbox.event("Purchase", `purchase_${payment.id}`);
  hop("Purchase", `Meta has ${purchase.event_id}`);

  console.log("\nWhat Meta received:\n");
  console.log(sideBySide(pageView, purchase));
  console.log(`\nGET /api/sessions/${visit.token} says:\n`);
  console.log(timelineTable(await timelineOf(ponte, apiKey, visit.token)));
}

interface Visit {
  readonly status: number;
  readonly token: string;
  /** `_fbp` and `_fbc`, as the answer set them. */
  readonly cookies: Readonly<Record<string, string>>;
}

async function openLink(link: string): Promise<Visit> {
  const response = await fetch(link, { headers: { "user-agent": PHONE } }).catch(() => {
    throw new Error(`Nothing answers at ${new URL(link).origin}. Start the demo first: ./scripts/start`);
  });
  const token = /\?start=([0-9a-f]{32})/.exec(await response.text())?.[1];
  if (token === undefined)
    throw new Error(`The page has no link to the bot; the answer was ${response.status}.`);
  const cookies = response.headers.getSetCookie().map((cookie) => /^([^=]+)=([^;]*)/.exec(cookie) ?? []);
  const meta = cookies.filter(([, name]) => name === "_fbp" || name === "_fbc");
  return {
    status: response.status,
    token,
    cookies: Object.fromEntries(meta.map(([, name = "", value = ""]) => [name, value])),
  };
}

async function report(ponte: string, { token, cookies }: Visit): Promise<string> {
  const response = await fetch(`${ponte}/api/tracking/cookies`, {
    method: "POST",
    headers: { "content-type": "application/json", "user-agent": PHONE },
    body: JSON.stringify({ tracking_token: token, ...cookies }),
  });
  return `answered ${response.status}`;
}

async function timelineOf(ponte: string, apiKey: string, token: string) {
  return timelineSchema.parse(await askPonte(`${ponte}/api/sessions/${token}`, apiKey));
}

/** The routes of which nothing is sent until somebody resumes them, a line each. */
async function pausedRoutes(ponte: string, apiKey: string): Promise<string[]> {
  const answer = await askPonte(`${ponte}/api/outbox/status?delivered=false`, apiKey);
  return routesSchema
    .parse(answer)
    .routes.filter(({ state }) => state === "paused")
    .map(
      ({ destination, route, paused_reason }) =>
        `The ${destination} route ${route} is paused: ${paused_reason}. Resume it at ${ponte}/ops`,
    );
}

async function askPonte(url: string, apiKey: string): Promise<unknown> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${apiKey}` } });
  if (response.status === 401)
    throw new Error("Ponte does not know this API_KEY; ./scripts/start prints the right one.");
  return response.json();
}

/** Two events as a table of their fields, so that one sees which they share. */
function sideBySide(pageView: Record<string, unknown>, purchase: Record<string, unknown>): string {
  const left = flat(pageView);
  const right = flat(purchase);
  const fields = [...new Set([...left.keys(), ...right.keys()])];
  return table(fields, [
    { head: "FIELD", cell: (field) => field },
    { head: "PAGEVIEW", cell: (field) => left.get(field) ?? null },
    { head: "PURCHASE", cell: (field) => right.get(field) ?? null },
  ]);
}

const WIDEST = 56;

function flat(value: Readonly<Record<string, unknown>>, prefix = ""): Map<string, string> {
  const entries = Object.entries(value).flatMap(([key, inner]): [string, string][] => {
    const name = `${prefix}${key}`;
    if (isRecord(inner)) return [...flat(inner, `${name}.`)];
    const text = typeof inner === "string" ? inner : JSON.stringify(inner);
    return [[name, text.length > WIDEST ? `${text.slice(0, WIDEST - 1)}…` : text]];
  });
  return new Map(entries);
}

function timelineTable({ steps }: z.output<typeof timelineSchema>): string {
  return table(steps, [
    { head: "AT", cell: ({ at }) => at },
    { head: "AFTER", cell: ({ after_ms }) => (after_ms === null ? null : duration(after_ms)) },
    { head: "WHAT", cell: ({ kind, event_name }) => event_name ?? kind.replaceAll("_", " ") },
    { head: "STATUS", cell: ({ status }) => status },
    { head: "EVENT ID", cell: ({ event_id }) => event_id },
    { head: "DETAIL", cell: ({ detail }) => detail },
  ]);
}

function firstLine(text: string): string {
  return shown(text).split("\n")[0] ?? "";
}

function lastLine(text: string): string {
  return shown(text).split("\n").at(-1) ?? "";
}

/** A message as Telegram shows it, without its HTML tags. */
function shown(text: string): string {
  return text.replace(/<[^>]*>/g, "").trim();
}

main().catch((error) => {
  console.error(error instanceof z.ZodError ? z.prettifyError(error) : failureText(error, process.env));
  process.exit(1);
});
