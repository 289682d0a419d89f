/**
 * `bun test/browser/screenshots.ts [folder]`: pictures of the console for the documentation, over traffic that looks
 * the same every time.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { isNotNull } from "drizzle-orm";
import type { BrowserContextOptions, Page } from "playwright-core";
import { launchChromium } from "./chromium.ts";
import { LOOKS, openConsole, openLogin, startConsole } from "./console-page.ts";
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
  for (const [i, { options }] of LOOKS.entries()) {
    const { context, page } = await openLogin(browser, own.url, options);
    if (i === 0) await shoot(page, "login", options);
    await context.close();
    const overview = await openConsole(browser, own.url, options);
    await overview.page.waitForSelector(".chart canvas");
    await shoot(overview.page, "overview", options);
    if (i === 0) {
      await overview.page.locator("section.card", { hasText: "Funnel" }).evaluate((card) => {
        scrollTo(0, card.getBoundingClientRect().top - 16);
      });
      await shoot(overview.page, "funnel", options);
    }
    await overview.page.goto(`${own.url}/ops/visitors?q=${sale?.id}`);
    await shoot(overview.page, "visitor", options);
    await overview.page.goto(`${own.url}/ops/outbox?status=dead`);
    await shoot(overview.page, "outbox", options);
    await overview.page.locator("tbody th a").first().click();
    await overview.page.waitForURL("**/ops/outbox/*");
    await shoot(overview.page, "event", options);
    await overview.page.goto(`${own.url}/ops/pools`);
    await overview.page.locator("tbody th a").first().click();
    await overview.page.waitForURL("**/ops/pools/*");
    await overview.page.click("text=QR code");
    await shoot(overview.page, "pool", options);
    await overview.page.goto(`${own.url}/ops/bots`);
    await overview.page.waitForSelector("text=connected");
    await shoot(overview.page, "bots", options);
    await overview.page.goto(`${own.url}/ops/bots/1`);
    await overview.page.waitForSelector("text=connected");
    await shoot(overview.page, "bot", options);
    await overview.page.goto(`${own.url}/ops/offers/1`);
    await shoot(overview.page, "offer", options);
    await overview.page.goto(`${own.url}/ops/keys`);
    await shoot(overview.page, "keys", options);
    await overview.context.close();
  }
} finally {
  await browser.close();
  await own.stop();
}

async function shoot(page: Page, name: string, { colorScheme, viewport }: BrowserContextOptions) {
  await page.screenshot({
    path: join(folder, `console-${name}-${colorScheme}-${viewport?.width}.png`),
  });
}
