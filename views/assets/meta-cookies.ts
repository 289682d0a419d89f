import { pause } from "./pause.ts";

type Cookies = Readonly<Record<string, string>>;

/** Meta's param builder, as its bundle puts it on the window. */
interface ParamBuilder {
  processAndCollectAllParams(
    url: string,
    getIpFn: () => Promise<string>,
  ): Promise<Readonly<Record<string, string | undefined>>>;
}

declare global {
  interface Window {
    clientParamBuilder?: ParamBuilder;
  }
}

const NAMES = ["_fbp", "_fbc", "_fbi"];

/** Meta's cookies as the browser has them this moment; none where it lets nobody look. */
function readCookies(): Cookies {
  const found: Record<string, string> = {};
  for (const pair of allCookies().split("; ")) {
    const equals = pair.indexOf("=");
    const name = pair.slice(0, equals);
    const value = pair.slice(equals + 1);
    if (NAMES.includes(name) && value) found[name] = value;
  }
  return found;
}

/** A browser that forbids cookies may throw where they are asked for. */
function allCookies(): string {
  try {
    return document.cookie;
  } catch {
    return "";
  }
}

/** Resolves when the param builder's script has run; never where it is blocked. */
function paramBuilder(): Promise<ParamBuilder> {
  return new Promise((resolve) => {
    const look = () => {
      if (window.clientParamBuilder) resolve(window.clientParamBuilder);
    };
    look();
    document.getElementById("builder")?.addEventListener("load", look);
  });
}

/** The visitor's address as our server sees it: without one the param builder sets no `_fbi`. */
async function ownAddress(): Promise<string> {
  const response = await fetch("/api/tracking/ip");
  return response.ok ? response.text() : "";
}

/**
 * Lets Meta's param builder collect `_fbp`, `_fbc` and `_fbi`, and reports what the browser has: when that is done, or
 * after `deadlineMs` milliseconds, or when the page is left. Reports again where more became known, never the same twice.
 */
export function reportMetaCookies(deadlineMs: number, report: (cookies: Cookies) => void): Promise<void> {
  return new Promise((reported) => {
    let last = "";
    const reportNow = () => {
      const cookies = readCookies();
      const now = JSON.stringify(cookies);
      if (now !== last) report(cookies);
      last = now;
      reported();
    };
    paramBuilder()
      .then((builder) => builder.processAndCollectAllParams(location.href, ownAddress))
      // A builder that fails may have set some of them all the same.
      .catch(() => undefined)
      .then(reportNow);
    pause(deadlineMs).then(reportNow);
    addEventListener("pagehide", reportNow);
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") reportNow();
    });
  });
}
