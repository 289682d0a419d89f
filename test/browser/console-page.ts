import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { createRollups } from "../../src/rollups/rollups.ts";
import { startSandbox } from "../../src/sandbox/app.ts";
import { createTestApp } from "../support/app.ts";
import { OPERATOR_PASSWORD } from "../support/operator.ts";
import { seedTraffic } from "../support/traffic.ts";
import { newVisitor } from "./chromium.ts";
import { seedShop } from "./seed-shop.ts";

/** The looks that every page must stand: the widths of a desk and of a small phone, by day and by night. */
export const LOOKS = (["light", "dark"] as const).flatMap((colorScheme) =>
  [
    { width: 1280, height: 900 },
    { width: 360, height: 740 },
  ].map((viewport) => ({
    name: `${colorScheme}, ${viewport.width} px`,
    /** By night only the colours differ. */
    rules: colorScheme === "dark" ? ["color-contrast"] : undefined,
    options: { colorScheme, viewport, locale: "en-GB" } satisfies BrowserContextOptions,
  })),
);

/** Pages that the navigation leads to. */
export const MAIN_PAGES = [
  "/ops",
  "/ops/outbox",
  "/ops/visitors",
  "/ops/pools",
  "/ops/bots",
  "/ops/keys",
  "/ops/audit",
];

/** Pages that the navigation does not lead to by itself. */
export const FURTHER_PAGES = [
  "/ops/pools/new",
  "/ops/pools/1",
  "/ops/bots/new",
  "/ops/bots/1",
  "/ops/bots/1/offers/new",
  "/ops/offers/1",
  "/ops/outbox/1",
];

/** The real app on a free port, after `hours` of traffic that were counted as the dispatcher's process does. */
export async function startConsole({
  hours = 24,
  clicksPerHour = 60,
  environment = {},
}: {
  hours?: number;
  clicksPerHour?: number;
  environment?: Readonly<Record<string, string>>;
} = {}) {
  const sandbox = await startSandbox();
  const own = await createTestApp({
    OPERATOR_PASSWORD,
    RATE_LIMIT_PER_HOUR: "0",
    PUBLIC_URL: "https://go.example.com",
    TELEGRAM_API_URL: sandbox.url,
    META_GRAPH_URL: sandbox.url,
    PUSHINPAY_TOKEN: "a-token-of-the-stand-in",
    ...environment,
  });
  const traffic = await seedTraffic(own.db, { endMs: Date.now(), hours, clicksPerHour });
  await seedShop(own, sandbox.url);
  await countAll(own);
  return {
    ...own,
    traffic,
    url: own.listen(),
    count: () => countAll(own),
    async stop() {
      await own.dispose();
      await sandbox.stop();
    },
  };
}

/** Counts at once what the dispatcher's process would count within seconds. */
async function countAll({ db, deps }: Awaited<ReturnType<typeof createTestApp>>): Promise<void> {
  const rollups = createRollups({ db, log: deps.log });
  await rollups.run();
  await rollups.stop();
}

/** A browser of its own on the login page; `faults` is what the browser complains of, `visited` other hosts. */
export async function openLogin(browser: Browser, url: string, options: BrowserContextOptions = {}) {
  const { context, visited } = await newVisitor(browser, options);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  await page.goto(`${url}/ops`);
  return { context, page, faults, visited };
}

/** The same, logged in and on the overview. */
export async function openConsole(browser: Browser, url: string, options: BrowserContextOptions = {}) {
  const opened = await openLogin(browser, url, options);
  await opened.page.fill("#password", OPERATOR_PASSWORD);
  await Promise.all([opened.page.waitForURL(`${url}/ops`), opened.page.keyboard.press("Enter")]);
  return opened;
}

/** What axe finds wrong with the page, however slight; by these rules alone, where some are named. */
export async function violations(page: Page, rules?: string[]): Promise<axe.Result[]> {
  await page.evaluate(axe.source);
  const results = await page.evaluate(
    (only) => window.axe.run(document, { resultTypes: ["violations"], ...(only && { runOnly: only }) }),
    rules,
  );
  return results.violations;
}

/** What axe finds wrong with the page that is serious or worse, one line each. */
export async function seriousFaults(page: Page, rules?: string[]): Promise<string[]> {
  return (await violations(page, rules))
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${help} (${target.join(" ")}) ${failureSummary}`),
    );
}

declare global {
  interface Window {
    axe: typeof axe;
  }
}
