import { getDomain } from "tldts";

/** Hosts whose answer is remembered; somebody may send any `Host`, so the memory is bounded. */
const REMEMBERED_HOSTS = 1_000;

/** Where a host's cookies go. */
interface CookieScope {
  /** The registrable domain, so that `go.example.com` and `www.example.com` share them; null: the host alone. */
  readonly domain: string | null;
  /** As Meta's cookies name it: 1 for `example.com`, 2 for `example.com.br`, 0 for a host alone. */
  readonly subdomainIndex: number;
}

const remembered = new Map<string, CookieScope>();

/**
 * Meta's scripts write a cookie again on the domain that its index tells, counted in dots: with another index than
 * the domain's the browser refuses and a new click never gets into `_fbc`. An IP address, `localhost` and the like
 * have no domain, and index 0, as Meta's server-side param builder has it.
 */
export function cookieScope(host: string): CookieScope {
  let scope = remembered.get(host);
  if (scope === undefined) {
    const domain = getDomain(host, { allowPrivateDomains: true });
    scope = { domain, subdomainIndex: domain === null ? 0 : domain.split(".").length - 1 };
    if (remembered.size >= REMEMBERED_HOSTS) remembered.clear();
    remembered.set(host, scope);
  }
  return scope;
}
