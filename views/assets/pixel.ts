import { loadReporter } from "./reporter.ts";

/** Meta's `fbq`: a function that queues calls until `fbevents.js` takes over. */
interface Fbq {
  (...call: readonly unknown[]): void;
  callMethod?: (...call: readonly unknown[]) => void;
  queue: (readonly unknown[])[];
  push(...call: readonly unknown[]): void;
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

/** The stub that `fbevents.js` expects to find. */
function stub(): Fbq {
  const take = (...call: readonly unknown[]) => {
    if (fbq.callMethod) fbq.callMethod(...call);
    else fbq.queue.push(call);
  };
  const fbq: Fbq = Object.assign(take, { queue: [], push: take, loaded: true, version: "2.0" });
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
