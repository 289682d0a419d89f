import { reportMetaCookies } from "./meta-cookies.ts";
import { pause } from "./pause.ts";
import { firePageView } from "./pixel.ts";
import { loadUtmify } from "./utmify.ts";

/** How long anything may keep the visitor's cookies from being reported. */
const COOKIES_DEADLINE_MS = 1_500;

interface Visit {
  readonly token: string;
  readonly eventId: string;
  readonly pixelId: string | undefined;
  readonly limitedDataUse: boolean;
  readonly utmifyPixelId: string | undefined;
  readonly autoContinueMs: number | undefined;
}

function visitOf(data: DOMStringMap): Visit | undefined {
  const { token, eventId, pixelId, limitedDataUse, utmifyPixelId, autoContinueMs } = data;
  if (!token || !eventId) return undefined;
  const wait = autoContinueMs === undefined ? undefined : Number(autoContinueMs);
  return {
    token,
    eventId,
    pixelId,
    limitedDataUse: limitedDataUse !== undefined,
    utmifyPixelId,
    autoContinueMs: wait,
  };
}

/**
 * Reports the cookies to the server, in a way that survives the page being left, and again while the server, or a proxy
 * before it, cannot take them, which a page that is left cannot. Waits twice as long each time.
 */
function beacon(body: string, tries = 5, waitMs = 2_000): void {
  const again = () => tries > 1 && setTimeout(() => beacon(body, tries - 1, waitMs * 2), waitMs);
  fetch("/api/tracking/cookies", { method: "POST", body, keepalive: true }).then(
    ({ status }) => status >= 500 && again(),
    again,
  );
}

function run(): void {
  const script = document.getElementById("ponte");
  const visit = script && visitOf(script.dataset);
  // The mark keeps a second run of this script, for whatever reason, from counting twice.
  if (!script || !visit || script.dataset.ran) return;
  script.dataset.ran = "yes";

  const fired = visit.pixelId && firePageView(visit.pixelId, visit.eventId, visit.limitedDataUse);
  const counted = visit.utmifyPixelId && loadUtmify(visit.utmifyPixelId);
  const reported = reportMetaCookies(COOKIES_DEADLINE_MS, (cookies) =>
    beacon(JSON.stringify({ tracking_token: visit.token, ...cookies })),
  );
  if (visit.autoContinueMs !== undefined) {
    continueAfter(visit.autoContinueMs, Promise.all([fired, counted, reported]));
  }
}

/**
 * Goes on to the bot when everything has been said, and at the latest after `ms` milliseconds; not where the visitor was
 * faster, and not where they came back to the page, which would send them away again at once. The page leaves no entry
 * in the history: going back would come here again, as another visit.
 */
function continueAfter(ms: number, said: Promise<unknown>): void {
  const link = document.getElementById("start");
  if (!(link instanceof HTMLAnchorElement) || hasComeBack()) return;
  let isTapped = false;
  link.addEventListener("click", () => {
    isTapped = true;
  });
  const timeIsUp = pause(ms);
  // What fails has said nothing, and keeps nobody here.
  Promise.race([said.catch(() => timeIsUp), timeIsUp]).then(() => {
    if (!isTapped) location.replace(link.href);
  });
}

/** Whether the visitor came by going back or forward in their history. */
function hasComeBack(): boolean {
  return performance
    .getEntriesByType("navigation")
    .some((entry) => entry instanceof PerformanceNavigationTiming && entry.type === "back_forward");
}

run();
