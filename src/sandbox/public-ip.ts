import { isIPv4, isIPv6 } from "node:net";

const IPV4_IN_IPV6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
/** 2000::/3: no more of IPv6 is given out to the public internet. */
const GLOBAL_IPV6 = /^[23][0-9a-f]{3}:/i;

/** What a client IP address is to Meta. Documentation ranges (203.0.113.0/24, 2001:db8::/32) count as public. */
type IpVerdict = "public" | "private" | "invalid";

/** Judges one address, IPv4 or IPv6, without port or zone. */
export function ipVerdict(address: string): IpVerdict {
  const dotted = IPV4_IN_IPV6.exec(address)?.[1] ?? address;
  if (isIPv4(dotted)) return isPrivateIpv4(dotted.split(".").map(Number)) ? "private" : "public";
  if (!isIPv6(address) || address.includes("%")) return "invalid";
  return GLOBAL_IPV6.test(address) ? "public" : "private";
}

function isPrivateIpv4([a = 0, b = 0, c = 0]: readonly number[]): boolean {
  return (
    a === 0 ||
    a === 10 ||
    a === 127 ||
    a >= 224 ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 192 && b === 0 && c === 0) ||
    (a === 198 && (b === 18 || b === 19))
  );
}
