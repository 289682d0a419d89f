import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import type { Browser } from "playwright-core";
import { useSandbox } from "../sandbox/client.ts";
import { launchChromium, withBrowser } from "./chromium.ts";
import { openConsole, startConsole } from "./console-page.ts";

const EVIL = `"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'\`{{7*7}}</title></style>`;

/**
 * What strangers, Meta and operators write stands on the console's pages: campaigns, user agents, errors, names. Here
 * all of it is written by somebody who wants to run a script in the operator's browser.
 */
describe.if(withBrowser)("strangers' words in the console", () => {
  const meta = useSandbox();
  let browser: Browser;
  let own: Awaited<ReturnType<typeof startConsole>>;
  beforeAll(async () => {
    browser = await launchChromium();
    own = await startConsole({
      hours: 6,
      clicksPerHour: 20,
      environment: { META_GRAPH_URL: meta.sandbox().url },
    });
    const token = own.deps.secrets.seal(`EAA${"x".repeat(40)}`, "pools.meta_access_token");
    await own.db.transaction(async (tx) => {
      const spoilt = [
        sql`update pools set name = ${EVIL} || cast(id as text), slug = ${EVIL} || cast(id as text), meta_test_event_code = ${EVIL}, meta_access_token = ${token} returning id`,
        sql`update bots set username = ${EVIL} || cast(id as text), health_reason = ${EVIL}, healthy = false, welcome = ${EVIL} returning id`,
        sql`update offers set name = ${EVIL}, description = ${`</textarea>${EVIL}`}, provider = ${EVIL}, currency = ${EVIL}, delivery = ${`</textarea>${EVIL}`} returning id`,
        sql`update api_keys set name = ${EVIL} || cast(id as text), hint = ${EVIL} returning id`,
        sql`update meta_tracking_sessions set utm_campaign = ${EVIL}, user_agent = ${EVIL}, referrer = ${EVIL}, fbclid = ${EVIL} returning id`,
        sql`update funnel_hourly set key = ${EVIL} where id in (select max(id) from funnel_hourly where dimension = 'campaign' and clicks > 0) returning id`,
        sql`update outbox set last_error = ${EVIL}, event_name = ${EVIL}, fbtrace_id = ${EVIL} returning id`,
        sql`update outbox_attempts set response = ${EVIL}, fbtrace_id = ${EVIL} returning id`,
        sql`update outbox_routes set paused_reason = ${EVIL} returning id`,
      ];
      for (const statement of spoilt) await tx.rows(statement);
      await tx.insert(own.db.tables.auditLog).values({
        at: new Date(),
        actor: EVIL,
        action: EVIL,
        subject: EVIL,
        before: { [EVIL]: EVIL },
        after: { [EVIL]: EVIL },
      });
    });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await own?.stop();
  });

  test("are read, and never run, on any page of the navigation, nor on those of a pool, a bot and an offer", async () => {
    const { context, page, visited } = await openConsole(browser, own.url);
    const dialogs: string[] = [];
    page.on("dialog", (dialog) => {
      dialogs.push(dialog.message());
      dialog.dismiss();
    });
    expect(await page.locator(`text=${EVIL.slice(0, 30)}`).count()).toBeGreaterThan(0);
    const links = await page.locator("nav a").evaluateAll((all) => all.map((a) => a.getAttribute("href")));
    const { outbox, sessions } = own.db.tables;
    const [event] = await own.db
      .select({ id: outbox.id })
      .from(outbox)
      .where(eq(outbox.status, "dead"))
      .limit(1);
    const [visit] = await own.db.select({ token: sessions.trackingToken }).from(sessions).limit(1);
    const deep = [
      `/ops/outbox/${event?.id}`,
      `/ops/visitors/${visit?.token}`,
      "/ops/pools/1",
      "/ops/bots/1",
      "/ops/bots/1/offers/new",
      "/ops/offers/1",
      `/ops/outbox?text=${encodeURIComponent(EVIL)}`,
      `/ops/outbox?status=${encodeURIComponent(EVIL)}`,
      `/ops/outbox/replay?action=discard&all=1&text=${encodeURIComponent(EVIL)}`,
      `/ops/outbox/jobs/${encodeURIComponent(EVIL)}`,
      `/ops/visitors?q=${encodeURIComponent(EVIL)}`,
    ];
    const spans = ["/ops?span=7d", `/ops?span=${encodeURIComponent(EVIL)}`];
    for (const href of [...links, ...deep, ...spans]) {
      const response = await page.goto(own.url + href);
      expect(response?.status()).toBeLessThan(500);
      expect(await page.evaluate(() => window.pwned)).toBeUndefined();
      expect(await page.locator("img[onerror], main script, main style").count()).toBe(0);
    }
    expect(dialogs).toEqual([]);
    expect(visited).toEqual([]);
    await context.close();
  }, 60_000);

  test("are read, and never run, in what Meta answers to a test event", async () => {
    const { context, page, visited } = await openConsole(browser, own.url);
    await page.goto(`${own.url}/ops/pools/1`);
    for (const { shows, ...fault } of [
      { shows: "</pre>", mode: "graph", message: `</pre>${EVIL}` },
      { shows: "<h1>Something went wrong", mode: "garbage", status: 502 },
    ]) {
      await meta.call("POST", "/faults", { ...fault, times: 1 });
      await page.fill("#pixel [name=test_event_code]", "TEST42");
      await page.click("text=Send a test event");
      await page.locator("#pixel pre", { hasText: shows }).waitFor();
      expect(await page.evaluate(() => window.pwned)).toBeUndefined();
      expect(await page.locator("img[onerror], main script, main style").count()).toBe(0);
    }
    expect(visited).toEqual([]);
    await context.close();
  }, 60_000);

  test("do not get in by the address of the login, nor by a planted note", async () => {
    const { context, page } = await openConsole(browser, own.url);
    const note = { name: "ponte_note", value: encodeURIComponent(EVIL), url: own.url };
    await context.addCookies([note]);
    await page.goto(`${own.url}/ops`);
    expect(await page.locator(".banner.good").textContent()).toContain("<script>");
    await context.clearCookies();
    await page.goto(`${own.url}/ops/login?next=${encodeURIComponent(EVIL)}`);
    expect(await page.inputValue("input[name=next]")).toBe("/ops");
    expect(await page.evaluate(() => window.pwned)).toBeUndefined();
    await context.close();
  });
});
