import ipaddr from "ipaddr.js";

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Peers whose trust is remembered; a public server sees many, so the memory is bounded. */
const REMEMBERED_PEERS = 10_000;

/**
 * Who the client is: the TCP peer, or, where the peer is a trusted proxy, the rightmost address in
 * `X-Forwarded-For` that is not one. A header from anybody else is ignored: anybody can write it.
 */
export function clientAddressFinder(trustedProxies: readonly string[]) {
  const ranges: Range[] = trustedProxies.map((cidr) => ipaddr.parseCIDR(cidr));
  const remembered = new Map<string, boolean>();

  function isTrusted(address: string): boolean {
    if (ranges.length === 0) return false;
    let trusted = remembered.get(address);
    if (trusted === undefined) {
      trusted = ipaddr.isValid(address) && inAnyRange(ipaddr.process(address), ranges);
      if (remembered.size >= REMEMBERED_PEERS) remembered.clear();
      remembered.set(address, trusted);
    }
    return trusted;
  }

  /** The client's address in canonical form; null where the peer is unknown. */
  return {
    isTrusted: (peer: string | null) => peer !== null && isTrusted(plain(peer)),
    find(peer: string | null, forwardedFor: string | null): string | null {
      if (peer === null) return null;
      let client = plain(peer);
      if (forwardedFor === null || !isTrusted(client)) return client;
      const hops = forwardedFor.split(",").map((hop) => withoutPort(hop.trim()));
      for (let i = hops.length - 1; i >= 0; i--) {
        const hop = hops[i] ?? "";
        // A hop that is no address ends the chain: what stands before it cannot be trusted.
        if (!ipaddr.isValid(hop)) return client;
        client = plain(hop);
        if (!isTrusted(client)) return client;
      }
      return client;
    },
  };
}

export type ClientAddress = ReturnType<typeof clientAddressFinder>;

function inAnyRange(address: ipaddr.IPv4 | ipaddr.IPv6, ranges: readonly Range[]): boolean {
  return ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits));
}

/** IPv4 that came over an IPv6 socket reads `::ffff:192.0.2.1`. */
function plain(address: string): string {
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}

function withoutPort(hop: string): string {
  const bracketed = /^\[(.+)\](?::\d+)?$/.exec(hop);
  if (bracketed) return bracketed[1] ?? "";
  return /^\d+\.\d+\.\d+\.\d+:\d+$/.test(hop) ? hop.slice(0, hop.indexOf(":")) : hop;
}
