import { getDomain } from "tldts";

/** Hosts whose answer is remembered; somebody may send any `Host`, so the memory is bounded. */
const REMEMBERED_HOSTS = 1_000;

const remembered = new Map<string, string | null>();

/**
 * The registrable domain that a host's cookies go on, so that `go.example.com` and `www.example.com` share them;
 * null for an IP address, `localhost` and the like, whose cookies stay with the host.
 */
export function cookieDomain(host: string): string | null {
  let domain = remembered.get(host);
  if (domain === undefined) {
    domain = getDomain(host, { allowPrivateDomains: true });
    if (remembered.size >= REMEMBERED_HOSTS) remembered.clear();
    remembered.set(host, domain);
  }
  return domain;
}
