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

/** Meta's cookies as the browser has them this moment. */
function readCookies(): Cookies {
  const found: Record<string, string> = {};
  for (const pair of document.cookie.split("; ")) {
    const equals = pair.indexOf("=");
    const name = pair.slice(0, equals);
    const value = pair.slice(equals + 1);
    if (NAMES.includes(name) && value) found[name] = value;
  }
  return found;
}

/** Resolves when the param builder's script has run; never where it is blocked. */
function paramBuilder(): Promise<ParamBuilder> {
  return new Promise((resolve) => {
    const look = () => {
      if (window.clientParamBuilder) resolve(window.clientParamBuilder);
      else setTimeout(look, 50);
    };
    look();
  });
}

/** The visitor's address as our server sees it: without one the param builder sets no `_fbi`. */
async function ownAddress(): Promise<string> {
  const response = await fetch("/api/tracking/ip");
  return response.ok ? response.text() : "";
}

/**
 * Collects `_fbp`, `_fbc` and `_fbi`: `now()` tells what the browser has already; `later` lets Meta's param
 * builder do its work first, for `deadlineMs` milliseconds at most, and never fails.
 */
export function collectMetaCookies(deadlineMs: number): { now(): Cookies; later: Promise<Cookies> } {
  const built = paramBuilder()
    .then((builder) => builder.processAndCollectAllParams(location.href, ownAddress))
    .catch(() => undefined);
  const deadline = new Promise((resolve) => setTimeout(resolve, deadlineMs));
  return { now: readCookies, later: Promise.race([built, deadline]).then(readCookies) };
}
