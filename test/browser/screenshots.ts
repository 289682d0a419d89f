/**
 * `bun test/browser/screenshots.ts [folder]`: pictures of the console for the documentation, over traffic that looks
 * the same every time.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { isNotNull } from "drizzle-orm";
import type { BrowserContextOptions, Page } from "playwright-core";
import { launchChromium } from "./chromium.ts";
import { LOOKS, openConsole, startConsole } from "./console-page.ts";
import { seedAnswer } from "./seed-answer.ts";

const folder = process.argv[2] ?? "docs/images";
mkdirSync(folder, { recursive: true });

const browser = await launchChromium();
const own = await startConsole({ clicksPerHour: 400 });
await seedAnswer(own.db);
const { payments } = own.db.tables;
const [sale] = await own.db
  .select({ id: payments.id })
  .from(payments)
  .where(isNotNull(payments.metaPurchaseSentAt))
  .limit(1);
try {
  // By night a desk's are enough.
  for (const [i, { options }] of LOOKS.slice(0, 3).entries()) {
    const { context, page } = await openConsole(browser, own.url, options);
    await page.goto(`${own.url}/ops/visitors?q=${sale?.id}`);
    await shoot(page, "visitor", options);
    await page.goto(`${own.url}/ops/outbox?status=dead`);
    await shoot(page, "outbox", options);
    if (i === 0) await shootTheRest(page, options);
    await context.close();
  }
} finally {
  await browser.close();
  await own.stop();
}

async function shootTheRest(page: Page, options: BrowserContextOptions) {
  await page.goto(`${own.url}/ops`);
  await page.waitForSelector(".chart canvas");
  await shoot(page, "overview", options);
  await page.locator("section.card", { hasText: "Funnel" }).evaluate((card) => {
    scrollTo(0, card.getBoundingClientRect().top - 16);
  });
  await shoot(page, "funnel", options);
  await page.goto(`${own.url}/ops/outbox?status=dead`);
  await page.locator("tbody th a").first().click();
  await page.waitForURL("**/ops/outbox/*");
  await shoot(page, "event", options);
  await page.goto(`${own.url}/ops/pools`);
  await page.locator("tbody th a").first().click();
  await page.waitForURL("**/ops/pools/*");
  await page.click("text=QR code");
  await shoot(page, "pool", options);
  await page.goto(`${own.url}/ops/bots`);
  await page.waitForSelector("text=connected");
  await shoot(page, "bots", options);
  await page.goto(`${own.url}/ops/bots/1`);
  await page.waitForSelector("text=connected");
  await shoot(page, "bot", options);
  await page.goto(`${own.url}/ops/offers/1`);
  await shoot(page, "offer", options);
  await page.goto(`${own.url}/ops/keys`);
  await shoot(page, "keys", options);
}

async function shoot(page: Page, name: string, { colorScheme, viewport }: BrowserContextOptions) {
  await page.screenshot({
    path: join(folder, `console-${name}-${colorScheme}-${viewport?.width}.png`),
  });
}
