import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createBot } from "../../src/bots/manage-bots.ts";
import { telegramBotApi } from "../../src/bots/telegram-bot-api.ts";
import { createOffer } from "../../src/offers/manage-offers.ts";
import { createPool } from "../../src/pools/manage-pools.ts";
import { useSandbox } from "../sandbox/client.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { testDialect } from "../support/database.ts";
import { addressesIn, type FoundForm, formIn, formsIn, injectionsIn } from "../support/html.ts";
import { makeApiKey } from "../support/keys.ts";
import { logIn, newBrowser, OPERATOR_PASSWORD, type TestOperator } from "../support/operator.ts";
import { addRows } from "../support/outbox.ts";
import { seedVisitor } from "../support/seed-visitor.ts";

/** Of every value that is tried. Each run costs a page and a form, on both databases. */
const TRIES = 4;
const LONG_MS = 180_000;

/** Ends whatever it lands in: text, attribute, textarea, title, script. `injectionsIn` knows its marks. */
const BREAKOUT = `"'\`></textarea></title></script><pwn-x onpwn="1"></pwn-x><img src=x onerror=pwn()>`;
/** Tried with every field: markup, and what Postgres takes in no text. */
const EXAMPLES: [string][] = [[BREAKOUT], ["\0"], ["\ud800"]];
const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.string({ maxLength: 20 }).map((text) => text + BREAKOUT),
  fc.constantFrom(
    BREAKOUT,
    "\0",
    "\u202e\ufeff",
    "%00%",
    "-1",
    "1e400",
    "9".repeat(400),
    "9007199254740993",
    "javascript:alert(1)",
    "__proto__",
    "0000-00-00T00:00",
    "'; drop table pools; --",
    "x".repeat(100_000),
  ),
);

/** Every page, with what its address may ask for. `:name` stands for something that is seeded. */
const PAGES: Readonly<Record<string, readonly string[]>> = {
  "/ops": ["span", "from", "to"],
  "/ops/live": ["span", "from", "to"],
  "/ops/outbox": ["status", "destination", "pool", "event", "text", "from", "to", "cursor"],
  "/ops/outbox/:event": [],
  "/ops/visitors": ["q", "before"],
  "/ops/visitors/:visitor": [],
  "/ops/pools": ["cursor"],
  "/ops/pools/new": [],
  "/ops/pools/:pool": [
    "link_utm_source",
    "link_utm_campaign",
    "link_utm_medium",
    "link_utm_content",
    "link_utm_term",
    "link_src",
  ],
  "/ops/bots": ["cursor"],
  "/ops/bots/new": [],
  "/ops/bots/:bot": ["offers"],
  "/ops/bots/:bot/webhook": [],
  "/ops/bots/:bot/offers/new": [],
  "/ops/offers/:offer": [],
  "/ops/keys": ["cursor"],
  "/ops/audit": ["cursor"],
};

const outside = useSandbox();
let own: TestApp;
let operator: TestOperator;
let seeded: Readonly<Record<string, string>>;
beforeAll(async () => {
  const { url } = outside.sandbox();
  own = await createTestApp({ OPERATOR_PASSWORD, META_GRAPH_URL: url, TELEGRAM_API_URL: url });
  seeded = await seed();
  // Afterwards, for the overview remembers what it read for some seconds.
  operator = await logIn(own);
}, LONG_MS);
afterAll(() => own.dispose());

/** One of everything that has a page, so that every form is on one. */
async function seed(): Promise<Record<string, string>> {
  const { db, deps } = own;
  const telegram = telegramBotApi(outside.sandbox().url);
  const bot = await createBot({ ...deps, telegram, publicUrl: undefined }, "test", {
    username: "sandbox_700_bot",
    token: `700:${"A".repeat(35)}`,
    payment_token: "token",
  });
  const pool = await createPool(deps, "test", {
    slug: "fuzzed",
    meta_pixel_id: "123",
    meta_access_token: "EAAB",
    capture_params: ["src"],
    bots: [{ username: "sandbox_700_bot" }],
  });
  const offer = await createOffer(deps, "test", {
    ...{ bot: "sandbox_700_bot", name: "Course", description: "About", delivery: "Link" },
    ...{ price_minor: 4_990, currency: "BRL", provider: "stripe" },
  });
  if (bot.kind !== "created" || pool.kind !== "created" || offer.kind !== "created")
    throw new Error(`not seeded: ${bot.kind}, ${pool.kind}, ${offer.kind}`);
  await makeApiKey(deps, "reporting", "read");
  const [event = 0] = await addRows(db, 3, { status: "dead" });
  const { token } = await seedVisitor(db);
  const paused = { pausedAt: new Date(), pausedReason: "refused", updatedAt: new Date() };
  await db.transaction((tx) =>
    tx.insert(db.tables.outboxRoutes).values({ destination: "meta", route: "123", ...paused }),
  );
  return {
    event: String(event),
    visitor: token,
    bot: String(bot.bot.id),
    pool: String(pool.pool.id),
    offer: String(offer.offer.id),
  };
}

const addressOf = (page: string) => page.replace(/:(\w+)/, (_, name) => seeded[name] ?? "");
const pages = () => Object.keys(PAGES).map(addressOf);

/** What no answer may be, whatever was sent: a failure of ours, or a page with somebody's markup in it. */
async function expectSound(answer: Response): Promise<void> {
  expect(answer.status).toBeLessThan(500);
  expect(injectionsIn(await answer.text())).toEqual([]);
  expect(answer.headers.get("location") ?? "/ops").toMatch(/^\/ops(?:[/?]|$)/);
}

describe(`whatever is sent to the console on ${testDialect}`, () => {
  test(
    "as a query, the page is answered and the text stays text",
    async () => {
      for (const [page, names] of Object.entries(PAGES)) {
        for (const name of names) {
          const ask = async (text: string) => {
            // Longer addresses no server takes.
            const query = new URLSearchParams({ [name]: text.slice(0, 4_000) });
            await expectSound(await operator.get(`${addressOf(page)}?${query}&${query}`));
          };
          await fc.assert(fc.asyncProperty(hostile, ask), { numRuns: TRIES, examples: EXAMPLES });
        }
      }
    },
    LONG_MS,
  );

  test("is seen by this test where it does not stay text", () => {
    for (const html of [BREAKOUT, `<p title="${BREAKOUT}">`, `<a href="javascript:alert(1)">`])
      expect(injectionsIn(html)).not.toEqual([]);
  });

  test("there is no parameter that a page of ours sends and this test does not know", async () => {
    for (const page of Object.keys(PAGES)) {
      for (const address of addressesIn(await (await operator.get(addressOf(page))).text())) {
        const { pathname, searchParams } = new URL(address, "http://console.invalid");
        const known = Object.entries(PAGES).find(([other]) => addressOf(other) === pathname)?.[1];
        if (known) expect([...known]).toEqual(expect.arrayContaining([...searchParams.keys()]));
      }
    }
  });

  test(
    "as a form's field, nothing fails and the text stays text, at once and when it was stored",
    async () => {
      const forms = new Map<string, FoundForm & { page: string }>();
      for (const page of pages()) {
        for (const form of formsIn(await (await operator.get(page)).text())) {
          const key = [form.action, ...form.names].join(" ");
          if (form.method === "post") forms.set(key, { ...form, page });
        }
      }
      const found = new Set([...forms.values()].map(({ action }) => action.replaceAll(/\/\d+/g, "/:id")));
      expect([...found].sort()).toEqual(EVERY_FORM);
      // What ends something goes last, or there would be nothing left for the others.
      const last = /\/(?:remove|revoke|logout)$/;
      const isLast = ({ action }: FoundForm) => Number(last.test(action));
      for (const { action, page, names } of [...forms.values()].sort((a, b) => isLast(a) - isLast(b))) {
        for (const name of names.filter((one) => one !== "_csrf")) {
          const send = async (text: string) => {
            const form = formIn(await (await operator.get(page)).text(), action);
            const answer = await operator.post(action.replace(/#.*/, ""), { ...form, [name]: text });
            if (answer.headers.get("location") === "/ops/login") operator = await logIn(own);
            await expectSound(answer);
          };
          await fc.assert(fc.asyncProperty(hostile, send), { numRuns: TRIES, examples: EXAMPLES });
        }
      }
      for (const page of pages()) await expectSound(await operator.get(page));
    },
    LONG_MS,
  );

  test(
    "as a name of a field or a body that is none, nothing fails",
    async () => {
      const send = async (path: string, name: string, text: string) => {
        await expectSound(await operator.post(addressOf(path), { [name]: [text, text] }));
      };
      const paths = fc.constantFrom(...Object.keys(PAGES), "/ops/keys/1/revoke", "/ops/routes/resume");
      await fc.assert(fc.asyncProperty(paths, hostile, hostile, send), { numRuns: 30 });
    },
    LONG_MS,
  );

  test(
    "as a cookie, nothing fails and the text stays text",
    async () => {
      const carry = async (name: string, text: string) => {
        const browser = newBrowser(own);
        for (const [key, value] of operator.cookies) browser.cookies.set(key, value);
        browser.cookies.set(name, encodeURIComponent(text.slice(0, 1_000).toWellFormed()));
        await expectSound(await browser.get("/ops/keys"));
      };
      const names = fc.constantFrom("ponte_note", "ponte_zone", "ponte_device", "ponte_ops");
      await fc.assert(fc.asyncProperty(names, hostile, carry), { numRuns: 20 });
    },
    LONG_MS,
  );

  // The last one: a login that fails too often is refused unread.
  test(
    "at the login, nothing fails and nobody gets in",
    async () => {
      for (const name of ["password", "next"]) {
        const knock = async (text: string) => {
          const stranger = newBrowser(own);
          await expectSound(await stranger.post("/ops/login", { [name]: text.slice(0, 4_000) }));
          const query = new URLSearchParams({ next: text.slice(0, 4_000) });
          await expectSound(await stranger.get(`/ops/login?${query}`));
          expect((await stranger.get("/ops")).status).toBe(303);
        };
        await fc.assert(fc.asyncProperty(hostile, knock), { numRuns: TRIES, examples: EXAMPLES });
      }
    },
    LONG_MS,
  );
});

/** So that a page whose form went missing is noticed here. */
const EVERY_FORM = [
  "/ops/bots/:id#settings",
  "/ops/bots/:id/check-webhook#webhook",
  "/ops/bots/:id/connect",
  "/ops/bots/:id/offers/new",
  "/ops/bots/:id/remove",
  "/ops/bots/new",
  "/ops/keys",
  "/ops/keys/:id/revoke",
  "/ops/logout",
  "/ops/offers/:id#settings",
  "/ops/offers/:id/remove",
  "/ops/outbox/replay",
  "/ops/pools/:id#settings",
  "/ops/pools/:id/check-pixel#pixel",
  "/ops/pools/:id/remove",
  "/ops/pools/:id/test-event#pixel",
  "/ops/pools/new",
  "/ops/routes/resume",
  "/ops/zone",
].sort();
