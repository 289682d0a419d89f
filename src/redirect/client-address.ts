import { BlockList, isIP, isIPv4 } from "node:net";
import { IPv6 } from "ipaddr.js";

/**
 * Who the client is: the TCP peer, or, where the peer is a trusted proxy, the rightmost address in
 * `X-Forwarded-For` that is not one. A header from anybody else is ignored: anybody can write it.
 *
 * @param trustedProxies CIDRs, such as `10.0.0.0/8`
 */
export function clientAddressFinder(trustedProxies: readonly string[]) {
  const proxies = new BlockList();
  for (const cidr of trustedProxies) {
    const [network = "", bits] = cidr.split("/");
    proxies.addSubnet(network, Number(bits), familyOf(network));
  }

  function isTrusted(address: string): boolean {
    return trustedProxies.length > 0 && proxies.check(address, familyOf(address));
  }

  // Behind a proxy every request comes from the same few addresses, so the last peer's answer is the next one's.
  let lastPeer = "";
  let lastIsTrusted = false;
  function isTrustedPeer(peer: string): boolean {
    if (peer !== lastPeer) {
      lastPeer = peer;
      lastIsTrusted = isTrusted(plain(peer));
    }
    return lastIsTrusted;
  }

  return {
    isTrusted: (peer: string | null) => peer !== null && isTrustedPeer(peer),
    /** The client's address as it was written, but IPv4 never inside of IPv6; null where the peer is unknown. */
    find(peer: string | null, forwardedFor: string | null): string | null {
      if (peer === null) return null;
      let client = plain(peer);
      if (forwardedFor === null || !isTrustedPeer(peer)) return client;
      const hops = forwardedFor.split(",").map((hop) => withoutPort(hop.trim()));
      for (let i = hops.length - 1; i >= 0; i--) {
        const hop = hops[i] ?? "";
        // A hop that is no address ends the chain: what stands before it cannot be trusted.
        if (isIP(hop) === 0) return client;
        client = plain(hop);
        if (!isTrusted(client)) return client;
      }
      return client;
    },
  };
}

export type ClientAddress = ReturnType<typeof clientAddressFinder>;

function familyOf(address: string): "ipv4" | "ipv6" {
  return address.includes(":") ? "ipv6" : "ipv4";
}

const MAPPED = /^[0:]+:ffff:/i;

/** IPv4 that came over an IPv6 socket reads `::ffff:192.0.2.1`; a header may spell it in other ways, which are parsed. */
function plain(address: string): string {
  if (!MAPPED.test(address)) return address;
  const tail = address.slice(7);
  if (address.startsWith("::ffff:") && isIPv4(tail)) return tail;
  const parsed = IPv6.isValid(address) ? IPv6.parse(address) : null;
  return parsed?.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : address;
}

function withoutPort(hop: string): string {
  const bracketed = /^\[(.+)\](?::\d+)?$/.exec(hop);
  if (bracketed) return bracketed[1] ?? "";
  return /^\d+\.\d+\.\d+\.\d+:\d+$/.test(hop) ? hop.slice(0, hop.indexOf(":")) : hop;
}
