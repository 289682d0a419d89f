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
 * Resolves when the pixel has been loaded, or could not be.
 *
 * @param limitedDataUse country and state 0 let Meta locate the visitor; said before `init`, as Meta asks
 */
export function firePageView(pixelId: string, eventId: string, limitedDataUse: boolean): Promise<void> {
  if (window.fbq) return Promise.resolve();
  const fbq = stub();
  window.fbq = fbq;
  window._fbq = fbq;
  if (limitedDataUse) fbq("dataProcessingOptions", ["LDU"], 0, 0);
  fbq("init", pixelId);
  fbq("track", "PageView", {}, { eventID: eventId });
  return loadScript(PIXEL_SCRIPT);
}

/** Adds a script to the page, `async` and `defer`; resolves when it has run or failed. */
export function loadScript(src: string): Promise<void> {
  return new Promise((resolve) => {
    const script = document.createElement("script");
    script.async = true;
    script.defer = true;
    script.src = src;
    script.onload = script.onerror = () => resolve();
    document.head.append(script);
  });
}
