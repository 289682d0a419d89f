import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { createDispatcher } from "../../src/outbox/dispatcher.ts";
import { metaDestination } from "../../src/outbox/meta-destination.ts";
import { startSandbox } from "../../src/sandbox/app.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { addPool } from "../support/pools.ts";
import { startToken } from "../support/start-token.ts";
import { until } from "../support/until.ts";
import { launchChromium, newVisitor, type Outside, SHOP_HOST, withBrowser } from "./chromium.ts";

const EVIL = `"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'\`{{7*7}}</title>`;
// No "<script" in this one: Chromium ignores the nonce of a script that has it in an attribute.
const EVIL_PIXEL = `1" onload="window.pwned=1" x='\`>`;

const ARABIC_NAME = "دورة التصميم (2026)!";

/** As long as a pool's name may be. */
const LONG_NAME = "W".repeat(100);

describe.if(withBrowser)("the bridge page in Chromium", () => {
  let browser: Browser;
  let own: TestApp;
  let base: string;
  beforeAll(async () => {
    browser = await launchChromium();
    own = await createTestApp({
      PAGEVIEW_HOLD_MS: "60000",
      RATE_LIMIT_PER_HOUR: "0",
      TRUSTED_PROXIES: "127.0.0.1",
    });
    const token = own.deps.secrets.seal("EAAbrowser-test-token", "pools.meta_access_token");
    await addPool(own.db, { slug: "open", name: "Curso Ágil", metaAccessToken: token });
    await addPool(own.db, { slug: "utmify", utmifyPixelId: "66f0a1" });
    await addPool(own.db, { slug: "auto", autoContinueMs: 3_000 });
    await addPool(own.db, { slug: "patient", autoContinueMs: 20_000 });
    await addPool(own.db, {
      slug: "utmify-alone",
      metaPixelId: null,
      utmifyPixelId: "66f0a1",
      autoContinueMs: 20_000,
    });
    await addPool(own.db, { slug: "arabic", name: ARABIC_NAME });
    await addPool(own.db, { slug: "evil", name: EVIL, metaPixelId: EVIL_PIXEL });
    await addPool(own.db, { slug: "long-name", name: LONG_NAME }, [{ username: "W".repeat(32) }]);
    await own.deps.pools.refresh();
    base = own.listen();
  });
  afterAll(async () => {
    await browser?.close();
    await own?.dispose();
  });

  async function open(path: string, options: BrowserContextOptions = {}, outside: Outside = {}) {
    const { context, visited } = await newVisitor(browser, options, outside);
    const page = await context.newPage();
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(error.message));
    const response = await page.goto(base + path);
    const link = /<a [^>]*href="([^"]+)"/.exec((await response?.text()) ?? "")?.[1];
    return { context, page, visited, faults, link, token: startToken(link) };
  }

  /** The token of the bridge page that is shown. */
  const tokenOn = async (page: Page) => startToken(await page.getAttribute("#start", "href"));

  async function session(token: string) {
    const { sessions } = own.db.tables;
    const [row] = await own.db.select().from(sessions).where(eq(sessions.trackingToken, token));
    return row;
  }

  async function untilReported(token: string) {
    const { outbox } = own.db.tables;
    for (;;) {
      const [event] = await own.db.select().from(outbox).where(eq(outbox.trackingToken, token));
      if (event && event.availableAt.getTime() - event.createdAt.getTime() < 50_000) return event;
      await Bun.sleep(20);
    }
  }

  const fourParts = (cookie?: string | null) => cookie?.split(".").slice(0, 4).join(".") ?? "none";
  const fbqCalls = (page: Page) => page.evaluate(() => window.fbqCalls ?? null);

  test("fires one PageView with the server's event id, and the browser's cookies reach the session", async () => {
    const { context, page, faults, link, token } = await open("/go/open?fbclid=IwAR0AbCdEf");
    expect(link).toBe(`https://t.me/open_bot?start=${token}`);
    const event = await untilReported(token);
    await page.waitForFunction(() => window.fbqCalls?.length === 2);
    expect(await fbqCalls(page)).toEqual([
      ["init", "1234567890"],
      ["track", "PageView", {}, { eventID: `evt_${token}` }],
    ]);
    const row = await session(token);
    const cookies = Object.fromEntries((await context.cookies()).map(({ name, value }) => [name, value]));
    // Where it takes long, Meta's script adds its appendix after the first report.
    expect(fourParts(row?.fbp)).toBe(fourParts(cookies._fbp));
    expect(fourParts(row?.fbc)).toBe(fourParts(cookies._fbc));
    expect(row).toMatchObject({ fbp: expect.any(String), fbc: expect.any(String), fbcOrigin: "cookie" });
    expect(event.payload).toMatchObject({ user_data: { fbc: row?.fbc } });
    expect(faults).toEqual([]);
    await context.close();
  });

  test("the visitor's own address becomes _fbi, and the one that Meta is told", async () => {
    const address = "2804:14c:65a1::7";
    const proxied = { extraHTTPHeaders: { "x-forwarded-for": address } };
    const { context, token } = await open("/go/open", proxied);
    const event = await untilReported(token);
    expect((await session(token))?.fbi).toMatch(/^2804:14c:65a1::7\.\w+$/);
    expect(event.payload).toMatchObject({ user_data: { client_ip_address: address } });
    await context.close();
  });

  test("is delivered: from the tap on the ad to Meta, one PageView with the browser's cookies", async () => {
    const sandbox = await startSandbox();
    const { context, token } = await open("/go/open?fbclid=WholeWay&utm_campaign=c1");
    await untilReported(token);
    const { db, log, secrets } = own.deps;
    const meta = metaDestination({ db, secrets, graphUrl: sandbox.url, graphVersion: "v24.0" });
    await createDispatcher({ db, log, adapters: { meta } }).drain();
    const [delivered, ...more] = sandbox.events.list({ event_id: `evt_${token}` });
    expect(more).toEqual([]);
    expect(delivered?.event).toMatchObject({ event_name: "PageView", custom_data: { utm_campaign: "c1" } });
    expect(JSON.stringify(delivered?.event)).toContain(".WholeWay");
    await context.close();
    await sandbox.stop();
  });

  test("a visit that comes back keeps its cookies", async () => {
    const { context, page, token } = await open("/go/open?fbclid=First");
    await untilReported(token);
    await page.goto(`${base}/go/open`);
    const second = await tokenOn(page);
    expect(second).not.toBe(token);
    const rows = [await session(token), await session(second)];
    expect(rows[1]?.fbp?.split(".")[3]).toBe(rows[0]?.fbp?.split(".")[3]);
    expect(rows[1]?.fbc).toContain(".First");
    await context.close();
  });

  test("the param builder takes over our cookies on a domain of three parts, too", async () => {
    const { context } = await newVisitor(browser);
    const page = await context.newPage();
    await page.goto(`${base.replace("127.0.0.1", SHOP_HOST)}/go/open?fbclid=Shop`);
    const token = await tokenOn(page);
    await untilReported(token);
    const fbc = (await context.cookies()).find(({ name }) => name === "_fbc");
    // Its appendix says that it could write the cookie again.
    expect(fbc?.value).toMatch(/^fb\.2\.\d{13}\.Shop\.\w+$/);
    expect(fbc?.domain).toBe(".loja.com.br");
    expect((await session(token))?.fbc).toBe(fbc?.value ?? "");
    await context.close();
  });

  test("with scripts off the button is a link all the same, and the pixel is a picture with the event id", async () => {
    const { context, link, token, visited } = await open("/go/open", { javaScriptEnabled: false });
    expect(link).toBe(`https://t.me/open_bot?start=${token}`);
    expect(visited.filter((url) => url.startsWith("https://www.facebook.com/tr"))).toEqual([
      `https://www.facebook.com/tr?id=1234567890&ev=PageView&eid=evt_${token}&noscript=1`,
    ]);
    await context.close();
  });

  test("with the pixel blocked the cookies are reported and the button works", async () => {
    const { context, page, token, faults } = await open("/go/open?fbclid=NoPixel", {}, { blockPixel: true });
    await untilReported(token);
    expect(await fbqCalls(page)).toBeNull();
    await page.click("#start");
    await page.waitForURL(`https://t.me/open_bot?start=${token}`);
    expect(faults).toEqual([]);
    await context.close();
  });

  test("with the param builder blocked the browser's own cookies are reported", async () => {
    const { context, page, token, faults } = await open(
      "/go/open?fbclid=NoBuilder",
      {},
      { blockParamBuilder: true },
    );
    await untilReported(token);
    expect((await session(token))?.fbcOrigin).toBe("cookie");
    await page.waitForFunction(() => window.fbqCalls?.length === 2);
    expect(faults).toEqual([]);
    await context.close();
  });

  test("a browser that lets nobody look at its cookies reports that it has none, and stumbles over nothing", async () => {
    const { context } = await newVisitor(browser);
    await context.addInitScript(() => {
      const get = () => {
        throw new DOMException("denied", "SecurityError");
      };
      Object.defineProperty(document, "cookie", { get, set: get });
    });
    const page = await context.newPage();
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(error.message));
    await page.goto(`${base}/go/open?fbclid=NoCookies`);
    await untilReported(await tokenOn(page));
    expect(faults).toEqual([]);
    await context.close();
  });

  test.each([
    ["the server", 503],
    ["a proxy whose server starts anew", 502],
  ])("a report that %s cannot take yet is sent again", async (_, status) => {
    const { context } = await newVisitor(browser);
    let refused = 0;
    await context.route("**/api/tracking/cookies", (route) =>
      refused++ === 0 ? route.fulfill({ status, body: "{}" }) : route.fallback(),
    );
    const page = await context.newPage();
    const response = await page.goto(`${base}/go/open?fbclid=Again`);
    const token = startToken(await response?.text());
    await untilReported(token);
    expect(refused).toBe(2);
    await context.close();
  });

  test("a param builder that comes after the first report is waited for, and reported again", async () => {
    const { promise: later, resolve: bringBuilder } = Promise.withResolvers<void>();
    const { context } = await newVisitor(browser, {}, { paramBuilderAfter: later });
    const page = await context.newPage();
    const reports: string[] = [];
    page.on("request", (request) => {
      if (request.url().endsWith("/api/tracking/cookies")) reports.push(request.postData() ?? "");
    });
    // The page's load waits for every script of its.
    await page.goto(`${base}/go/open`, { waitUntil: "domcontentloaded" });
    const token = await tokenOn(page);
    await untilReported(token);
    expect((await session(token))?.fbi).toBeNull();
    bringBuilder();
    await until(async () => Boolean((await session(token))?.fbi));
    // Leaving says nothing that was not said before.
    await page.click("#start");
    await page.waitForURL(/t\.me/);
    expect(new Set(reports).size).toBe(reports.length);
    await context.close();
  });

  test("leaving at once still reports, and the tap is never delayed", async () => {
    const { context, page, link, token } = await open("/go/open", {}, { blockParamBuilder: true });
    await page.click("#start");
    await page.waitForURL(/t\.me/);
    expect(page.url()).toBe(String(link));
    expect(await untilReported(token)).toMatchObject({ status: "pending", attempts: 0 });
    await context.close();
  });

  test("a browser that prefetched the link still makes a visit of the tap", async () => {
    const purposes: (string | null)[] = [];
    // The ad and the link on one address: Chromium prefetches within a site without asking anybody.
    const site = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch(request) {
        if (new URL(request.url).pathname !== "/") {
          if (request.url.includes("/go/")) purposes.push(request.headers.get("sec-purpose"));
          return own.app.handle(request);
        }
        const rules = `{"prefetch":[{"urls":["/go/open?fbclid=Ahead"],"eagerness":"immediate"}]}`;
        const html = `<!doctype html><script type="speculationrules">${rules}</script><a id="ad" href="/go/open?fbclid=Ahead">ad</a>`;
        return new Response(html, { headers: { "content-type": "text/html" } });
      },
    });
    const { context } = await newVisitor(browser);
    const page = await context.newPage();
    await page.goto(site.url.href);
    await until(() => purposes.length !== 0);
    await page.click("#ad");
    const token = await tokenOn(page);
    expect(purposes).toEqual(["prefetch", null]);
    expect(await session(token)).toMatchObject({ fbclid: "Ahead" });
    await context.close();
    await site.stop(true);
  });

  test("goes on by itself where the pool says so, after the pixel and the report", async () => {
    // The page leaves by itself, and with it its content: the token stands in the address it goes to.
    const { context } = await newVisitor(browser);
    const page = await context.newPage();
    await page.goto(`${base}/go/auto`);
    await page.waitForURL(/^https:\/\/t\.me\/auto_bot\?start=[0-9a-f]{32}$/);
    const token = page.url().slice(-32);
    await untilReported(token);
    expect(await session(token)).toMatchObject({ fbp: expect.any(String) });
    await context.close();
  });

  test("who went on by itself and goes back comes to where they were before, and is no second visit", async () => {
    // Later than the page's load: what goes on before leaves no entry in the history anyway.
    const { context } = await newVisitor(browser, {}, { pixelDelayMs: 900 });
    const page = await context.newPage();
    await page.goto("https://t.me/before");
    await page.goto(`${base}/go/auto`, { waitUntil: "commit" });
    await page.waitForURL(/start=/);
    const visits = await own.db.$count(own.db.tables.sessions);
    await page.goBack();
    expect(page.url()).toBe("https://t.me/before");
    expect(await own.db.$count(own.db.tables.sessions)).toBe(visits);
    await context.close();
  });

  test("does not go on by itself where the visitor has tapped, though they come back to the page", async () => {
    const { context } = await newVisitor(browser);
    const page = await context.newPage();
    await page.clock.install();
    // Nothing on the page happens by itself, until time is let pass. Far ahead: the browser refuses a moment that is over.
    await page.clock.pauseAt(Date.now() + 3_600_000);
    await page.goto(`${base}/go/auto`);
    await page.evaluate(() => {
      // As where the tap opens Telegram's app, and the page stays.
      document.getElementById("start")?.addEventListener("click", (tap) => tap.preventDefault());
      document.body.className = "stays";
      window.navigation.addEventListener("navigate", () => {
        document.body.className = "leaves";
      });
    });
    await page.click("#start");
    await page.clock.runFor(10_000);
    expect(await page.getAttribute("body", "class")).toBe("stays");
    await context.close();
  });

  test("does not send away again whoever goes back to it", async () => {
    const { context } = await newVisitor(browser);
    const { promise: tapped, resolve: tap } = Promise.withResolvers<void>();
    // Nothing is said, and so nobody goes on by themselves, before the tap.
    await context.route(/connect\.facebook\.net/, async (route) => {
      await tapped;
      await route.fallback().catch(() => undefined);
    });
    const page = await context.newPage();
    await page.goto(`${base}/go/patient`, { waitUntil: "domcontentloaded" });
    await page.click("#start");
    await page.waitForURL(/t\.me/);
    tap();
    await page.goBack();
    await page.waitForFunction(() => {
      const names = performance.getEntriesByType("resource").map(({ name }) => name);
      return ["facebook.com/tr", "/api/tracking/cookies"].every((part) => names.join().includes(part));
    });
    await page.waitForTimeout(300);
    expect(page.url()).toBe(`${base}/go/patient`);
    await page.click("#start");
    await page.waitForURL(/t\.me/);
    await context.close();
  });

  test("goes on all the same where what it waits for fails", async () => {
    const { context } = await newVisitor(browser);
    await context.addInitScript(() => {
      PerformanceObserver.prototype.observe = () => {
        throw new TypeError("not this kind");
      };
    });
    const page = await context.newPage();
    await page.goto(`${base}/go/auto`);
    await page.waitForURL(/^https:\/\/t\.me\/auto_bot/);
    await context.close();
  });

  test("does not go on by itself before the pixel has sent its event, however late that is", async () => {
    const { context, visited } = await newVisitor(browser, {}, { pixelDelayMs: 500 });
    const page = await context.newPage();
    await page.goto(`${base}/go/patient`);
    await page.waitForURL(/^https:\/\/t\.me\//);
    const outside = visited.filter((url) => !url.includes("fbevents"));
    expect(outside).toEqual(["https://www.facebook.com/tr/?ev=PageView", page.url()]);
    await context.close();
  });

  test("does not go on by itself before UTMify has its event, either", async () => {
    const { context, visited } = await newVisitor(browser, {}, { pixelDelayMs: 500 });
    const page = await context.newPage();
    await page.goto(`${base}/go/utmify-alone`);
    await page.waitForURL(/^https:\/\/t\.me\//);
    expect(visited.slice(1)).toEqual(["https://tracking.utmify.com.br/tracking/v1/events", page.url()]);
    await context.close();
  });

  test("loads UTMify with its pixel id where the pool has one, and only there, and lets it report", async () => {
    const { context, page, visited } = await open("/go/utmify");
    await page.waitForFunction(() => window.utmifyRan === "66f0a1");
    await until(() => visited.some((url) => url.includes("tracking.utmify")));
    expect(visited.filter((url) => url.includes("utmify"))).toEqual([
      "https://cdn.utmify.com.br/scripts/pixel/pixel.js",
      "https://tracking.utmify.com.br/tracking/v1/events",
    ]);
    expect(await page.locator("script[src*=utmify][async][defer]").count()).toBe(1);
    await context.close();
  });

  test("the pixel says Limited Data Use first for whoever denied consent, where the operator reports so", async () => {
    const limited = await createTestApp({ CONSENT_DENIED: "ldu", RATE_LIMIT_PER_HOUR: "0" });
    await addPool(limited.db, { slug: "utmify", utmifyPixelId: "66f0a1" });
    await limited.deps.pools.refresh();
    const visitor = await newVisitor(browser);
    const limitedPage = await visitor.context.newPage();
    await limitedPage.goto(`${limited.listen()}/go/utmify?consent=denied`);
    await limitedPage.waitForFunction(() => window.fbqCalls?.length === 3);
    expect((await fbqCalls(limitedPage))?.slice(0, 2)).toEqual([
      ["dataProcessingOptions", ["LDU"], 0, 0],
      ["init", "1234567890"],
    ]);
    expect(visitor.visited.filter((url) => url.includes("utmify.com.br"))).toEqual([]);
    await visitor.context.close();
    await limited.dispose();
  });

  test("the policy lets Meta's scripts speak in all their ways, and nobody with another host", async () => {
    const { context, page, visited } = await open("/go/open");
    const beacon = "https://www.facebook.com/tr/";
    const blocked = await page.evaluate(async (beacon) => {
      const blocked: string[] = [];
      const isSaid = new Promise<void>((resolve) => {
        document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
          blocked.push(`${effectiveDirective} ${blockedURI}`);
          if (blockedURI.includes("elsewhere")) resolve();
        });
      });
      new Image().src = `${beacon}?by=image`;
      navigator.sendBeacon(`${beacon}?by=beacon`);
      // Chrome's way where the picture's address would be too long.
      const [frame, form] = [document.createElement("iframe"), document.createElement("form")];
      frame.name = "beacon";
      Object.assign(form, { target: frame.name, method: "post", action: `${beacon}?by=form` });
      const isSent = new Promise((resolve) => frame.addEventListener("load", resolve));
      document.body.append(frame, form);
      await isSent;
      const isAnswered = new Promise((resolve) => frame.addEventListener("load", resolve));
      form.submit();
      await isAnswered;
      // How the apps on Android are asked for the click id.
      const question = new XMLHttpRequest();
      question.open("GET", "properties://browser/clickID");
      question.send();
      fetch("https://elsewhere.example/").catch(() => undefined);
      await isSaid;
      return blocked;
    }, beacon);
    expect(blocked).toEqual(["connect-src https://elsewhere.example/"]);
    expect(visited).toEqual(
      expect.arrayContaining(["image", "beacon", "form"].map((way) => `${beacon}?by=${way}`)),
    );
    await context.close();
  });

  test("no value breaks out of its place: nothing runs, the text is the text", async () => {
    const payload = encodeURIComponent(EVIL);
    const { context, page, faults } = await open(
      `/go/evil?utm_source=${payload}&fbclid=${payload}&grim=${payload}&${payload}=${payload}`,
    );
    await page.waitForFunction(() => window.fbq !== undefined);
    expect(await page.evaluate(() => window.pwned)).toBeUndefined();
    expect(await page.textContent("h1")).toBe(EVIL);
    expect(await page.title()).toBe(EVIL.trim());
    expect(await page.locator("main img, main script").count()).toBe(0);
    expect(await page.getAttribute("#ponte", "data-pixel-id")).toBe(EVIL_PIXEL);
    expect(faults).toEqual([]);
    await context.close();
  });

  test("nothing moves after the first paint, and the button is big enough for a thumb", async () => {
    for (const [width, colorScheme] of [
      [320, "light"],
      [390, "dark"],
      [1200, "light"],
    ] as const) {
      const { context, page } = await open("/go/open", { viewport: { width, height: 700 }, colorScheme });
      await page.waitForFunction(() => window.fbqCalls?.length === 2);
      const shift = await page.evaluate(
        () =>
          new Promise((resolve) => {
            let sum = 0;
            new PerformanceObserver((list) => {
              for (const entry of list.getEntries()) if ("value" in entry) sum += Number(entry.value);
            }).observe({ type: "layout-shift", buffered: true });
            requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
          }),
      );
      expect(shift).toBe(0);
      const box = await page.locator("#start").boundingBox();
      expect(box?.height).toBeGreaterThanOrEqual(48);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
      await context.close();
    }
  });

  test("on a phone held sideways the button is seen without scrolling", async () => {
    const viewport = { width: 667, height: 290 };
    const { context, page } = await open("/go/open", { viewport });
    const box = await page.locator("#start").boundingBox();
    expect((box?.y ?? viewport.height) + (box?.height ?? 0)).toBeLessThanOrEqual(viewport.height);
    await context.close();
  });

  test.each([
    ["upright", 320, 568],
    ["upright in an app, whose bars take their part", 320, 454],
    ["sideways", 568, 320],
    ["sideways in an app", 568, 290],
  ])("the longest names leave the button on the smallest screen, %s", async (_, width, height) => {
    const { context, page } = await open("/go/long-name", { viewport: { width, height } });
    expect(await page.textContent("h1")).toBe(LONG_NAME);
    const box = await page.locator("#start").boundingBox();
    expect((box?.y ?? height) + (box?.height ?? 0)).toBeLessThanOrEqual(height);
    expect((box?.x ?? width) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
    await context.close();
  });

  test("with the page zoomed to double on a phone the button's words stay whole", async () => {
    const { context, page } = await open("/go/open", { viewport: { width: 180, height: 320 } });
    const broken = await page.evaluate(() => {
      const text = document.querySelector("#start span")?.firstChild;
      const words = [...(text?.textContent ?? "").matchAll(/\S+/g)];
      return words.flatMap(({ 0: word, index }) => {
        const range = document.createRange();
        if (text) range.setStart(text, index);
        if (text) range.setEnd(text, index + word.length);
        return range.getClientRects().length === 1 ? [] : [word];
      });
    });
    expect(broken).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    await context.close();
  });

  test("the button is seen as one in the visitor's own colours, too", async () => {
    const { context, page } = await open("/go/open", { forcedColors: "active" });
    const border = await page.evaluate(() => {
      const { borderTopColor, borderTopWidth } = getComputedStyle(document.links[0] ?? document.body);
      return { borderTopColor, borderTopWidth, paper: getComputedStyle(document.body).backgroundColor };
    });
    expect(border.borderTopWidth).toBe("1px");
    expect(border.borderTopColor).not.toMatch(/, 0\)$/);
    expect(border.borderTopColor).not.toBe(border.paper);
    await context.close();
  });

  test("a name that is read from the right stands so", async () => {
    const { context, page } = await open("/go/arabic");
    expect(await page.evaluate(() => document.querySelector("h1:dir(rtl)")?.textContent)).toBe(ARABIC_NAME);
    await context.close();
  });

  test("our own HTML, style and script weigh less than 15 kB compressed", async () => {
    const { bridgeJs } = own.deps.assets.bridge;
    const page = await (await fetch(`${base}/go/open`)).bytes();
    const script = await (await fetch(base + bridgeJs)).bytes();
    const weight = Bun.gzipSync(page).length + Bun.gzipSync(script).length;
    expect(weight).toBeLessThan(15_000);
  });
});
