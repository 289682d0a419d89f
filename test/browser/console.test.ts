import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import type { Browser, Page } from "playwright-core";
import { outboxTable } from "../../src/outbox/enqueue.ts";
import { OPERATOR_PASSWORD } from "../support/operator.ts";
import { launchChromium, withBrowser } from "./chromium.ts";
import {
  FURTHER_PAGES,
  LOOKS,
  MAIN_PAGES,
  openConsole,
  openLogin,
  seriousFaults,
  startConsole,
} from "./console-page.ts";

describe.if(withBrowser)("the console in Chromium", () => {
  let browser: Browser;
  let own: Awaited<ReturnType<typeof startConsole>>;
  beforeAll(async () => {
    browser = await launchChromium();
    own = await startConsole();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await own?.stop();
  });

  /** The overview with a clock of the test's own, so that nobody waits for the page to ask again. */
  async function openLiveConsole() {
    const opened = await openConsole(browser, own.url);
    await opened.page.clock.install();
    await opened.page.reload();
    return opened;
  }
  async function passTenSeconds(page: Page): Promise<void> {
    const asked = page.waitForResponse(/\/ops\/live/);
    await page.clock.runFor(10_000);
    await asked;
  }

  for (const { name, options, rules } of LOOKS) {
    test(`login and overview have no serious fault in ${name}, and fit`, async () => {
      const { context, page, faults, visited } = await openLogin(browser, own.url, options);
      const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
      expect(await seriousFaults(page, rules)).toEqual([]);
      expect(await fits()).toBe(true);
      await page.fill("#password", "not it");
      await page.click("text=Log in >> nth=-1");
      await page.waitForSelector("#fault");
      expect(await seriousFaults(page, rules)).toEqual([]);
      // The browser reports the refusal itself, which is meant to be.
      expect(faults.splice(0).every((fault) => fault.includes("403"))).toBe(true);

      await page.fill("#password", OPERATOR_PASSWORD);
      await page.keyboard.press("Enter");
      await page.waitForSelector(".chart canvas");
      expect(await seriousFaults(page, rules)).toEqual([]);
      expect(await fits()).toBe(true);
      expect(faults).toEqual([]);
      expect(visited).toEqual([]);
      await context.close();
    }, 60_000);
  }

  for (const { name, options, rules } of LOOKS) {
    test(`every page of the navigation has no serious fault in ${name}, and fits`, async () => {
      const { context, page, visited } = await openConsole(browser, own.url, options);
      const links = await page
        .locator("nav[aria-label=Console] a")
        .evaluateAll((all) => all.map((a) => a.getAttribute("href") ?? ""));
      expect(links).toEqual(MAIN_PAGES);
      for (const href of [...links, ...FURTHER_PAGES]) {
        await page.goto(own.url + href);
        expect({ href, faults: await seriousFaults(page, rules) }).toEqual({ href, faults: [] });
        const fits = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
        expect({ href, fits }).toEqual({ href, fits: true });
      }
      expect(visited).toEqual([]);
      await context.close();
    }, 60_000);
  }

  test("a name of 64 letters beside a field stays in its card, and an Arabic one begins at the right", async () => {
    const { context, page } = await openConsole(browser, own.url, { viewport: { width: 360, height: 740 } });
    const { pools } = own.db.tables;
    const [before] = await own.db.select().from(pools).where(eq(pools.id, 1));
    const strange = { name: "عرض الصيف الكبير", captureParams: ["p".repeat(64)] };
    await own.db.transaction((tx) => tx.update(pools).set(strange).where(eq(pools.id, 1)));
    await page.goto(`${own.url}/ops/pools/1`);
    await page.click("text=Other parameters");
    const card = await page.locator("section.card", { hasText: "Other parameters" }).boundingBox();
    for (const field of await page.locator(".more .filters label").all()) {
      const { x = 0, width = 0 } = (await field.boundingBox()) ?? {};
      expect(x + width).toBeLessThanOrEqual((card?.x ?? 0) + (card?.width ?? 0));
    }
    for (const place of ["h1", 'input[name="name"]']) {
      expect(await page.locator(place).evaluate((node) => getComputedStyle(node).direction)).toBe("rtl");
    }
    await own.db.transaction((tx) =>
      tx
        .update(pools)
        .set(before ?? {})
        .where(eq(pools.id, 1)),
    );
    await context.close();
  });

  test("without scripts every page fits the smallest phones too", async () => {
    const viewport = { width: 360, height: 740 };
    const { context, page } = await openConsole(browser, own.url, { javaScriptEnabled: false, viewport });
    for (const width of [320, 360, 375]) {
      await page.setViewportSize({ ...viewport, width });
      for (const href of ["/openapi", ...MAIN_PAGES, ...FURTHER_PAGES]) {
        await page.goto(own.url + href);
        const widest = () => page.evaluate(() => document.documentElement.scrollWidth);
        expect({ href, widest: await widest() }).toEqual({ href, widest: width });
        // So does whatever opens on them.
        await page.locator("details").evaluateAll((all) => {
          for (const details of all) details.setAttribute("open", "");
        });
        expect({ href, widest: await widest() }).toEqual({ href, widest: width });
      }
      expect(await page.isVisible(".zone button")).toBe(true);
    }
    await context.close();
  }, 60_000);

  test("the audit log shows what was before and after without scrolling sideways", async () => {
    const { context, page } = await openConsole(browser, own.url, { viewport: { width: 1280, height: 900 } });
    await page.goto(`${own.url}/ops/audit`);
    const hidden = await page.locator(".scroll").evaluate((all) => all.scrollWidth - all.clientWidth);
    expect(hidden).toBe(0);
    await context.close();
  }, 60_000);

  /** Calls the first pool by the longest names while `work` goes on. */
  async function withLongestNames(work: () => Promise<void>): Promise<void> {
    const { pools } = own.db.tables;
    const { slug, name } = pools;
    const call = (names: { slug: string; name: string }) =>
      own.db.transaction((tx) => tx.update(pools).set(names).where(eq(pools.id, 1)));
    const [names] = await own.db.select({ slug, name }).from(pools).where(eq(pools.id, 1));
    if (!names) throw new Error("there is a first pool");
    await call({ slug: "s".repeat(64), name: "W".repeat(100) });
    try {
      await work();
    } finally {
      await call(names);
    }
  }
  /** Pixels of the page, or of a table in it, that only scrolling sideways brings into sight. */
  async function hiddenPixels(page: Page): Promise<number> {
    const parts = await page.evaluate(() =>
      [document.documentElement, ...document.querySelectorAll(".scroll")].map(
        (part) => part.scrollWidth - part.clientWidth,
      ),
    );
    return Math.max(...parts);
  }

  test("a pool's longest slug and name push nothing out of sight", async () => {
    const { context, page } = await openConsole(browser, own.url, { viewport: { width: 1280, height: 900 } });
    await withLongestNames(async () => {
      for (const path of [...MAIN_PAGES, "/ops/pools/1"]) {
        await page.goto(own.url + path);
        expect({ path, hidden: await hiddenPixels(page) }).toEqual({ path, hidden: 0 });
      }
    });
    await context.close();
  }, 60_000);

  test.each([1100, 1280, 1440])(
    "no head of the overview's tables runs into its neighbour at %d px",
    async (width) => {
      const { context, page } = await openConsole(browser, own.url, { viewport: { width, height: 900 } });
      const cut = await page.evaluate(() =>
        [...document.querySelectorAll(".even thead th")]
          .filter((head) => head.scrollWidth > head.clientWidth)
          .map((head) => head.textContent),
      );
      expect(cut).toEqual([]);
      await context.close();
    },
  );

  test("sales in several currencies are read whole beside the other numbers", async () => {
    const { context, page } = await openConsole(browser, own.url, { viewport: { width: 1280, height: 900 } });
    const sales = page.locator(".even tbody tr:first-child td:last-child");
    const sums = "R$123,456.70 + $12,345.60 + €7,700.00 + ¥123,456,700 + ⭐\u00a050";
    await sales.first().evaluate((cell, text) => cell.replaceChildren(text), sums);
    const cut = await sales.first().evaluate((cell) => cell.scrollWidth - cell.clientWidth);
    expect({ cut, hidden: await hiddenPixels(page) }).toEqual({ cut: 0, hidden: 0 });
    await context.close();
  }, 60_000);

  test("on a phone lists are read without scrolling sideways, and the longest names widen no page", async () => {
    const { context, page } = await openConsole(browser, own.url, { viewport: { width: 360, height: 740 } });
    await withLongestNames(async () => {
      for (const path of [
        "/ops/visitors",
        "/ops/pools",
        "/ops/bots",
        "/ops/bots/1",
        "/ops/pools/1",
        "/ops/keys",
      ]) {
        await page.goto(own.url + path);
        expect({ path, hidden: await hiddenPixels(page) }).toEqual({ path, hidden: 0 });
      }
    });
    await context.close();
  }, 60_000);

  test("a bot gets an offer, and scripts get a key that is copied and then gone, in a few steps", async () => {
    const { context, page, faults } = await openConsole(browser, own.url, {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    await page.click("nav >> text=Bots");
    await page.waitForSelector("text=connected");
    await page.click("text=@vip_mensal_bot");
    await page.click("text=New offer");
    await page.fill("#f-name", "Grupo VIP");
    await page.fill("#f-description", "Um mês no grupo");
    await page.fill("#f-price", "29,90");
    await page.fill("#f-currency", "BRL");
    await page.fill("#f-provider", "pushinpay");
    await page.fill("#f-delivery", "https://example.com/vip");
    await page.click("text=Make the offer");
    expect(await page.locator("#f-price-error").textContent()).toContain("as in 49.90");
    expect(await seriousFaults(page)).toEqual([]);
    await page.fill("#f-price", "29.90");
    await page.click("text=Make the offer");
    await page.waitForSelector("text=R$29.90");

    await page.click("nav >> text=API keys");
    await page.fill("#f-name", "planilha");
    await page.click("text=Make the key");
    const key = (await page.locator("#new-key").textContent()) ?? "";
    expect(await seriousFaults(page)).toEqual([]);
    await page.click("[data-copy-from=new-key]");
    await page.waitForSelector("text=Copied");
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key);
    // Another press while it says so does not make it say so for ever.
    await page.click("[data-copy-from=new-key]");
    await page.waitForSelector("[data-copy-from=new-key] >> text=/^Copy$/");
    // Sends the form once more, as the operator's own browser does after asking.
    await page.reload();
    await page.waitForSelector("text=had made the key planilha already");
    expect(await page.content()).not.toContain(key);
    const row = page.locator("tr", { hasText: "planilha" });
    expect(await row.count()).toBe(1);
    await row.locator("summary").click();
    await row.locator("button").click();
    await page.waitForSelector("text=The key planilha is revoked.");
    // The browser reports the refused price itself, which is meant to be.
    expect(faults.every((fault) => fault.includes("400"))).toBe(true);
    await context.close();
  }, 60_000);

  test("a bot is changed without scripts", async () => {
    const { context, page } = await openConsole(browser, own.url, { javaScriptEnabled: false });
    await page.goto(`${own.url}/ops/bots/1`);
    await page.fill("#f-welcome", "Bem-vindo!");
    await page.click("text=Save");
    await page.waitForSelector("text=Saved.");
    expect(await page.inputValue("#f-welcome")).toBe("Bem-vindo!");
    await page.click("text=Ask Telegram >> nth=-1");
    await page.waitForSelector("text=The bot's updates come here");
    await context.close();
  }, 60_000);

  test("logging in needs the keyboard only, and comes to the page that was asked for", async () => {
    const { context, page } = await openLogin(browser, own.url);
    await page.goto(`${own.url}/ops?span=7d`);
    // The browser gives the focus when it first paints.
    await page.waitForFunction(() => document.activeElement?.id === "password");
    await page.keyboard.type(OPERATOR_PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/ops?span=7d");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe("Skip to content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
    await context.close();
  });

  test.each([1280, 360])(
    "Tab begins at the skip link on a page %d pixels wide that shows where one is",
    async (width) => {
      const { context, page } = await openConsole(browser, own.url, { viewport: { width, height: 700 } });
      await page.goto(`${own.url}/ops/audit`);
      const here = await page.locator(".side nav [aria-current]").boundingBox();
      expect((here?.x ?? width) + (here?.width ?? 0)).toBeLessThan(width + 1);
      await page.keyboard.press("Tab");
      expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe("Skip to content");
      await context.close();
    },
  );

  test("the overview reads whole without scripts, and its forms work", async () => {
    const { context, page } = await openConsole(browser, own.url, { javaScriptEnabled: false });
    expect(await page.locator("h1").textContent()).toBe("Overview");
    expect(await page.locator("table").count()).toBeGreaterThan(3);
    await page.selectOption("#zone", "UTC");
    await page.click("[data-without-js]");
    await page.waitForURL("**/ops");
    expect(await page.locator("#zone").inputValue()).toBe("UTC");
    await context.close();
  });

  test("the numbers follow what happens while one looks on", async () => {
    const { context, page } = await openLiveConsole();
    const shown = () => page.locator("#live").textContent();
    const before = await shown();
    const { outbox } = own.db.tables;
    const [event] = await own.db.select().from(outbox).limit(1);
    if (!event) throw new Error("there is no event");
    const { id: _id, ...row } = event;
    await own.db.transaction(async (tx) => {
      const dead = { status: "dead" as const, lastError: "The newest of all errors" };
      await tx.insertSplit(outboxTable(own.db.tables), [{ ...row, ...dead, eventId: crypto.randomUUID() }]);
    });
    expect(before).not.toContain("The newest of all errors");
    while (!(await shown())?.includes("The newest of all errors")) await passTenSeconds(page);
    await context.close();
  }, 60_000);

  test("what the operator has in hand is not taken away when the numbers are renewed", async () => {
    const { context, page } = await openLiveConsole();
    const table = page.locator("#deliveries-table");
    await table.locator("summary").click();
    const chart = await page.locator(".chart canvas").first().elementHandle();
    await passTenSeconds(page);
    await chart?.waitForElementState("hidden");
    await page.waitForSelector(".chart canvas");
    expect(await table.evaluate((details) => details.hasAttribute("open"))).toBe(true);
    expect(await page.evaluate(() => document.activeElement?.parentElement?.id)).toBe("deliveries-table");

    await page.click("text=Resume…");
    await passTenSeconds(page);
    expect(await page.locator("text=Resume >> nth=-1").isVisible()).toBe(true);
    expect(await page.locator("details.confirm[open]").count()).toBe(1);
    await context.close();
  });

  test("a paused route is resumed after a question, and the overview says so once", async () => {
    const { context, page } = await openConsole(browser, own.url);
    await page.click("text=Resume…");
    await page.click("details.confirm[open] button");
    await page.waitForSelector("text=may send again");
    expect(await page.locator("text=One route is paused").count()).toBe(0);
    await page.reload();
    expect(await page.locator("text=may send again").count()).toBe(0);
    await context.close();
  });

  test("a page whose session ended while one looked on goes to the login", async () => {
    const { context, page } = await openLiveConsole();
    await own.db.transaction(async (tx) => {
      await tx.delete(own.db.tables.operatorSessions);
    });
    await Promise.all([page.waitForURL("**/ops/login"), page.clock.runFor(10_000)]);
    expect(await page.locator("input[type=password]").count()).toBe(1);
    await context.close();
  }, 60_000);

  test("logging out everywhere is asked for twice and ends the other browser's session", async () => {
    const [here, there] = [await openConsole(browser, own.url), await openConsole(browser, own.url)];
    await here.page.click("text=Log out…");
    await here.page.click("text=Log out everywhere");
    await here.page.waitForURL("**/ops/login");
    await there.page.goto(`${own.url}/ops`);
    expect(new URL(there.page.url()).pathname).toBe("/ops/login");
    await here.context.close();
    await there.context.close();
  });
});
