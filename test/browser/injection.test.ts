import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import { createTestApp, type TestApp } from "../support/app.ts";
import { addPool } from "../support/pools.ts";
import { launchChromium, newVisitor, withBrowser } from "./chromium.ts";

/** One payload for each place that a value may land in. */
const PAYLOADS = {
  html: `<img src=x onerror="window.pwned=1"><svg/onload=window.pwned=1>`,
  attribute: `" autofocus onfocus="window.pwned=1" x='' onmouseover='window.pwned=1`,
  script: `</script><script>window.pwned=1</script><!--`,
  url: "javascript:window.pwned=1//",
} as const;

const PARAMS = [
  "fbclid",
  "utm_source",
  "utm_campaign",
  "utm_medium",
  "utm_content",
  "utm_term",
  "grim",
  "sub1",
  "consent",
];

describe.if(withBrowser)("what a visitor sends or an operator types, in Chromium", () => {
  let browser: Browser;
  let own: TestApp;
  let base: string;
  beforeAll(async () => {
    browser = await launchChromium();
    own = await createTestApp({ RATE_LIMIT_PER_HOUR: "0", TRUSTED_PROXIES: "127.0.0.1" });
    for (const [slug, payload] of Object.entries(PAYLOADS)) {
      const bot = [{ username: payload }];
      await addPool(own.db, { slug, name: payload, captureParams: ["sub1"], utmifyPixelId: payload }, bot);
      const gate = { metaCloakerEnabled: true, metaCloakerParamValue: payload };
      await addPool(own.db, { slug: `${slug} ${payload}`, name: payload, ...gate }, [
        { username: `${payload}2` },
      ]);
    }
    await own.deps.pools.refresh();
    base = own.listen();
  });
  afterAll(async () => {
    await browser?.close();
    await own?.dispose();
  });

  test.each(Object.entries(PAYLOADS))("a payload for %s is text wherever it lands", async (slug, payload) => {
    const { context } = await newVisitor(browser, {
      userAgent: payload,
      extraHTTPHeaders: {
        cookie: `_fbp=${payload}; _fbc=${payload}; _fbi=${payload}`,
        "x-forwarded-host": payload,
        "x-forwarded-proto": payload,
        "x-forwarded-for": payload,
        "accept-language": `pt, ${payload}`,
      },
    });
    const query = [...PARAMS, payload]
      .map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(payload)}`)
      .join("&");
    const gated = encodeURIComponent(`${slug} ${payload}`);
    const pages = [
      [`/go/${slug}?${query}`, 200, "bridge"],
      [`/go/${gated}?grim=other`, 403, "cloaker_block"],
      [`/go/${encodeURIComponent(payload)}?${query}`, 404, "not_found"],
    ] as const;
    for (const [path, status, id] of pages) {
      const page = await context.newPage();
      const response = await page.goto(base + path, {
        referer: `https://ad.example/?${encodeURIComponent(payload)}`,
      });
      expect(response?.status()).toBe(status);
      const dom = await page.evaluate(() => ({
        id: document.body.id,
        heading: document.querySelector("h1")?.textContent,
        about: document.querySelector(".handle")?.textContent,
        handlers: [...document.querySelectorAll("*")].flatMap((one) =>
          one.getAttributeNames().filter((name) => name.startsWith("on")),
        ),
        scripts: [...document.querySelectorAll("script")].map(({ src }) =>
          new URL(src).pathname.replace(/\.\w+\.js$/, ""),
        ),
        inMain: [...document.querySelectorAll("main *")].map(({ localName }) => localName),
        links: [...document.querySelectorAll("a")].map(({ href }) => new URL(href).origin),
        pwned: window.pwned ?? null,
      }));
      expect(dom.id).toBe(id);
      if (id === "bridge") expect(dom.heading).toBe(payload);
      if (id === "cloaker_block") expect(dom.about).toBe(`${payload} · ${slug} ${payload}`);
      expect(dom.handlers).toEqual([]);
      expect(dom.pwned).toBeNull();
      expect(dom.links).toEqual(id === "bridge" ? ["https://t.me"] : []);
      for (const name of dom.inMain)
        expect(["div", "h1", "p", "a", "span", "svg", "path", "noscript"]).toContain(name);
      for (const path of dom.scripts) {
        expect([
          "/assets/param-builder",
          "/assets/bridge",
          "/en_US/fbevents.js",
          "/scripts/pixel/pixel.js",
        ]).toContain(path);
      }
      await page.close();
    }
    await context.close();
  });
});
