import { pause } from "./pause.ts";

/** How long a script that has been loaded may take to send, where the browser does not show its request. */
const SEND_GRACE_MS = 1_000;

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
