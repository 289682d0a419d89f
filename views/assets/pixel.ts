/** Meta's `fbq`: a function that queues calls until `fbevents.js` takes over. */
interface Fbq {
  (...call: readonly unknown[]): void;
  callMethod?: (...call: readonly unknown[]) => void;
  queue: (readonly unknown[])[];
  push: Fbq;
  loaded: boolean;
  version: string;
}

declare global {
  interface Window {
    fbq?: Fbq;
    _fbq?: Fbq;
  }
}

const PIXEL_SCRIPT = "https://connect.facebook.net/en_US/fbevents.js";

/** What the pixel reports to. */
const PIXEL_REQUEST = /^https:\/\/(www\.)?facebook\.com\/tr\b/;

/** How long a script that has been loaded may take to send, where the browser does not show its request. */
const SEND_GRACE_MS = 1_000;

/** The stub that `fbevents.js` expects to find. */
function stub(): Fbq {
  const fbq = ((...call: readonly unknown[]) => {
    if (fbq.callMethod) fbq.callMethod(...call);
    else fbq.queue.push(call);
  }) as Fbq; // its properties follow at once
  fbq.queue = [];
  fbq.push = fbq;
  fbq.loaded = true;
  fbq.version = "2.0";
  return fbq;
}

/**
 * Fires the browser's PageView once, under the server's event id, so that Meta counts the two as one.
 * Resolves when it has left the browser, or cannot.
 *
 * @param limitedDataUse country and state 0 let Meta locate the visitor; said before `init`, as Meta asks
 */
export async function firePageView(pixelId: string, eventId: string, limitedDataUse: boolean): Promise<void> {
  if (window.fbq) return;
  const fbq = stub();
  window.fbq = fbq;
  window._fbq = fbq;
  if (limitedDataUse) fbq("dataProcessingOptions", ["LDU"], 0, 0);
  fbq("init", pixelId);
  fbq("track", "PageView", {}, { eventID: eventId });
  await loadReporter(PIXEL_SCRIPT, PIXEL_REQUEST);
}

/**
 * Adds a script that reports by itself, to where `request` says. Resolves when that has left the browser, or cannot: such
 * a script may load settings before it sends anything, so its own arrival says nothing yet.
 */
export async function loadReporter(src: string, request: RegExp): Promise<void> {
  const sent = requestSent(request);
  if (await loadScript(src)) await Promise.race([sent, pause(SEND_GRACE_MS)]);
}

/** Resolves when such a request has been answered; never where the browser does not tell. */
function requestSent(request: RegExp): Promise<void> {
  return new Promise((resolve) => {
    if (!window.PerformanceObserver) return;
    const observer = new PerformanceObserver((list) => {
      if (!list.getEntries().some(({ name }) => request.test(name))) return;
      observer.disconnect();
      resolve();
    });
    observer.observe({ entryTypes: ["resource"] });
  });
}

/** Resolves after `ms` milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Adds a script to the page, `async` and `defer`; resolves to whether it ran. */
function loadScript(src: string): Promise<boolean> {
  return new Promise((resolve) => {
    const script = document.createElement("script");
    script.async = true;
    script.defer = true;
    script.src = src;
    script.onload = () => resolve(true);
    script.onerror = () => resolve(false);
    document.head.append(script);
  });
}
