import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from "playwright-core";

/** Browser tests need Chromium; `./scripts/test` brings it and says so here. Plain `bun test` leaves them out. */
export const withBrowser = process.env.TEST_BROWSER === "1";

/** A name under which a page of this machine is visited like one of a Brazilian shop. */
export const SHOP_HOST = "www.loja.com.br";

const FLAGS = [
  `--host-resolver-rules=MAP ${SHOP_HOST} 127.0.0.1`,
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** @throws Error where there is no Chromium: asked for and missing is a failure, not a skip. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) {
    throw new Error(`There is no Chromium at ${executablePath}. Install it, or set CHROMIUM_PATH.`);
  }
  // Playwright's own handlers would close the browser and let the run go on; Chromium ends with who started it anyway.
  const handlers = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
  return chromium.launch({ executablePath, args: FLAGS, ...handlers });
}

/** What stands in for the hosts outside: Meta's pixel, UTMify, Telegram. */
export interface Outside {
  readonly blockPixel?: boolean;
  readonly blockParamBuilder?: boolean;
  /** The param builder's script comes only after this. */
  readonly paramBuilderAfter?: Promise<unknown>;
  /** How long a pixel takes to send what it has to say, once it is there. */
  readonly pixelDelayMs?: number;
}

declare global {
  interface Window {
    /** Every call of the pixel, as the stand-in for `fbevents.js` saw it. */
    fbqCalls?: unknown[][];
    utmifyRan?: string;
    /** Set by an injection that got through. */
    pwned?: unknown;
    /** Of which TypeScript does not know yet: hears of every way of leaving the page. */
    readonly navigation: EventTarget;
  }
}

/**
 * Takes over a queue of `fbq` calls as `fbevents.js` does, keeps every call for the test to read and sends the events
 * later, as the real one does when it has loaded the pixel's settings.
 */
const fbevents = (delayMs: number) => `
  window.fbqCalls = [];
  const send = (name) => new Image().src = "https://www.facebook.com/tr/?ev=" + name;
  const take = (...call) => {
    window.fbqCalls.push(call);
    if (call[0] === "track") setTimeout(send, ${delayMs}, call[1]);
  };
  for (const call of window.fbq.queue) take(...call);
  window.fbq.callMethod = take;
`;

/** Reports to another host than it comes from, as the real one does. */
const utmifyPixel = (delayMs: number) => `
  window.utmifyRan = window.pixelId;
  setTimeout(fetch, ${delayMs}, "https://tracking.utmify.com.br/tracking/v1/events", { method: "POST" });
`;

/**
 * A fresh browser profile in which no request leaves this machine. `visited` lists the outside addresses that
 * pages asked for.
 */
export async function newVisitor(
  browser: Browser,
  options: BrowserContextOptions = {},
  outside: Outside = {},
): Promise<{ context: BrowserContext; visited: string[] }> {
  const context = await browser.newContext({ locale: "pt-BR", ...options });
  const visited: string[] = [];
  await context.route(
    (url) => !["127.0.0.1", "localhost", SHOP_HOST].includes(url.hostname),
    (route) => {
      const url = route.request().url();
      visited.push(url);
      if (url.includes("connect.facebook.net") && !outside.blockPixel) {
        return route.fulfill({ contentType: "text/javascript", body: fbevents(outside.pixelDelayMs ?? 0) });
      }
      if (url.startsWith("https://www.facebook.com/tr")) {
        return route.fulfill({ contentType: "image/gif", body: "" });
      }
      if (url.startsWith("https://cdn.utmify.com.br/")) {
        return route.fulfill({
          contentType: "text/javascript",
          body: utmifyPixel(outside.pixelDelayMs ?? 0),
        });
      }
      if (url.startsWith("https://tracking.utmify.com.br/")) {
        return route.fulfill({ headers: { "access-control-allow-origin": "*" } });
      }
      if (url.startsWith("https://t.me/")) {
        return route.fulfill({ contentType: "text/html", body: "<title>Telegram</title>" });
      }
      return route.abort();
    },
  );
  if (outside.blockParamBuilder) {
    await context.route(/\/assets\/param-builder\./, (route) => route.abort());
  }
  if (outside.paramBuilderAfter) {
    await context.route(/\/assets\/param-builder\./, async (route) => {
      await outside.paramBuilderAfter;
      await route.continue();
    });
  }
  return { context, visited };
}
