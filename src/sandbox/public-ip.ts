import { isIPv6 } from "node:net";

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const IPV4_IN_IPV6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
/** Unspecified, loopback, unique local (fc00::/7), link-local and site-local (fe80::/9), multicast (ff00::/8). */
const PRIVATE_IPV6 = /^(?:f[cd][0-9a-f]{2}:|fe[89a-f][0-9a-f]:|ff[0-9a-f]{2}:)/i;
const ONLY_ZEROES_AND_LAST_DIGIT = /^[0:]*:[01]?$/;

/** What a client IP address is to Meta. Documentation ranges (203.0.113.0/24, 2001:db8::/32) count as public. */
type IpVerdict = "public" | "private" | "invalid";

/** Judges one address, IPv4 or IPv6, without port or zone. */
export function ipVerdict(address: string): IpVerdict {
  const dotted = IPV4.exec(IPV4_IN_IPV6.exec(address)?.[1] ?? address);
  if (dotted !== null) return ipv4Verdict(dotted.slice(1).map(Number));
  if (!isIPv6(address) || address.includes("%")) return "invalid";
  return PRIVATE_IPV6.test(address) || ONLY_ZEROES_AND_LAST_DIGIT.test(address) ? "private" : "public";
}

function ipv4Verdict(octets: readonly number[]): IpVerdict {
  const [a = 0, b = 0] = octets;
  if (octets.some((octet) => octet > 255)) return "invalid";
  const isPrivate =
    a === 0 ||
    a === 10 ||
    a === 127 ||
    a >= 224 ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168);
  return isPrivate ? "private" : "public";
}
