import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { useSandbox } from "../sandbox/client.ts";
import { addRows } from "../support/outbox.ts";
import { launchChromium, withBrowser } from "./chromium.ts";
import { LOOKS, openConsole, seriousFaults, startConsole } from "./console-page.ts";

const TOKEN = "EAABaTokenThatNobodyReads0123456789";

/** What operators come for, each with scripts and without. */
describe.if(withBrowser)("the main tasks in Chromium", () => {
  const meta = useSandbox();
  let browser: Browser;
  let own: Awaited<ReturnType<typeof startConsole>>;
  beforeAll(async () => {
    browser = await launchChromium();
    const environment = { META_GRAPH_URL: meta.sandbox().url };
    own = await startConsole({ hours: 6, clicksPerHour: 20, environment });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await own?.stop();
  });

  const statuses = async (eventName: string) => {
    const { outbox } = own.db.tables;
    const rows = await own.db
      .select({ status: outbox.status })
      .from(outbox)
      .where(eq(outbox.eventName, eventName));
    return rows.map(({ status }) => status).sort();
  };

  async function tokenOfSomebody(): Promise<string> {
    const { sessions } = own.db.tables;
    const [visit] = await own.db.select({ token: sessions.trackingToken }).from(sessions).limit(1);
    return visit?.token ?? "";
  }

  for (const { name, options, rules } of LOOKS) {
    test(`the pages of one thing have no serious fault in ${name}, and fit`, async () => {
      const [id] = await addRows(own.db, 1, { status: "dead", lastError: "x".repeat(300) });
      const { context, page } = await openConsole(browser, own.url, options);
      const paths = [
        `/ops/outbox/${id}`,
        `/ops/visitors/${await tokenOfSomebody()}`,
        "/ops/outbox?status=dead",
        "/ops/outbox?status=ded&from=x",
        "/ops/outbox?event=Nobody",
        `/ops/outbox/replay?action=retry&id=${id}`,
        "/ops/outbox/jobs/nobody",
      ];
      for (const path of paths) {
        await page.goto(own.url + path);
        expect({ path, faults: await seriousFaults(page, rules) }).toEqual({ path, faults: [] });
        const fits = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
        expect({ path, fits }).toEqual({ path, fits: true });
      }
      await context.close();
    }, 60_000);
  }

  for (const javaScriptEnabled of [true, false]) {
    const how = javaScriptEnabled ? "with scripts" : "without scripts";
    const open = (options: BrowserContextOptions = {}) =>
      openConsole(browser, own.url, { ...options, javaScriptEnabled });
    const kind = javaScriptEnabled ? "Scripted" : "Plain";

    test(`ticked events are discarded after a question, ${how}`, async () => {
      await addRows(own.db, 3, { status: "dead", eventName: kind });
      const { context, page } = await open();
      await page.goto(`${own.url}/ops/outbox?event=${kind}`);
      if (javaScriptEnabled) await page.check("[data-checks-all]");
      else for (const box of await page.locator("input[name=id]").all()) await box.check();
      await page.locator("input[name=id]").last().uncheck();
      await page.click("text=Discard the ticked…");
      await page.click("button:has-text('Discard 2 events')");
      await page.waitForURL(`**/ops/outbox?event=${kind}`);
      expect(await page.locator(".banner.good").textContent()).toBe("2 events discarded.");
      expect(await statuses(kind)).toEqual(["dead", "discarded", "discarded"]);
      await context.close();
    }, 60_000);

    test(`all that a filter matches are retried by a job, ${how}`, async () => {
      const { context, page } = await open();
      await page.goto(`${own.url}/ops/outbox?event=${kind}&status=discarded`);
      await page.click("text=Retry all…");
      await page.click("button:has-text('Retry 2 events')");
      await page.waitForURL("**/ops/outbox/jobs/*");
      await seeInTheEnd(page, javaScriptEnabled, "2 events will be sent again");
      expect(await statuses(kind)).toEqual(["dead", "pending", "pending"]);
      await context.close();
    }, 60_000);

    test(`a visitor is found by token, ${how}`, async () => {
      const token = await tokenOfSomebody();
      const { context, page } = await open();
      await page.goto(`${own.url}/ops/visitors`);
      await page.fill("input[name=q]", token);
      await page.keyboard.press("Enter");
      await page.waitForURL("**/ops/visitors?q=*");
      expect(await page.locator("table").first().textContent()).toContain("click");
      await context.close();
    }, 60_000);

    test(`that a bot or an offer was saved is said where one looks, ${how}`, async () => {
      const { context, page } = await open({ viewport: { width: 390, height: 844 } });
      for (const path of ["/ops/bots/1", "/ops/offers/1"]) {
        await page.goto(own.url + path);
        await page.locator("#settings [type=checkbox]").first().click();
        await page.click("#settings button[type=submit]");
        expect({ path, isSeen: await isNoteSeen(page) }).toEqual({ path, isSeen: true });
      }
      await context.close();
    }, 60_000);

    test(`a pool is changed, and a test event shows Meta's answer, ${how}`, async () => {
      const { context, page, visited } = await open();
      await page.goto(`${own.url}/ops/pools/1`);
      await page.fill("[name=name]", `Renamed ${how}`);
      await page.fill("[name=meta_access_token]", TOKEN);
      await page.click("#settings button[type=submit]");
      expect(await isNoteSeen(page)).toBe(true);
      expect(await page.locator("h1").textContent()).toBe(`Renamed ${how}`);
      await page.fill("#pixel [name=test_event_code]", "TEST42");
      await page.click("text=Send a test event");
      await page.waitForSelector("#pixel pre");
      expect(await page.locator("#pixel").textContent()).toContain("events_received");
      expect(await seriousFaultsOf(page, javaScriptEnabled)).toEqual([]);
      expect(await page.content()).not.toContain(TOKEN);
      expect(visited).toEqual([]);
      await context.close();
    }, 60_000);
  }
});

/** With scripts the page renews itself; without, one asks again. */
async function seeInTheEnd(page: Page, renewsItself: boolean, words: string): Promise<void> {
  if (renewsItself) return void (await page.waitForSelector(`text=${words}`));
  while (!(await page.locator("main").textContent())?.includes(words)) await page.click("text=Look again");
}

/** Whether the note of what was done stands where the browser went. */
async function isNoteSeen(page: Page): Promise<boolean> {
  const note = await page.waitForSelector(".banner.good");
  const { y = -1 } = (await note.boundingBox()) ?? {};
  return y >= 0 && y < (page.viewportSize()?.height ?? 0);
}

/** axe is a script itself. */
function seriousFaultsOf(page: Page, runsScripts: boolean): Promise<string[]> {
  return runsScripts ? seriousFaults(page) : Promise.resolve([]);
}
