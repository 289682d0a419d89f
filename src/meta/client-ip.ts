import { isIPv6 } from "node:net";
import { IPv6 } from "ipaddr.js";

/**
 * The address as Meta may see it, or null where it says nothing about the visitor: not an address, or not one of the
 * public internet (private, loopback, link-local, CGNAT, documentation, multicast, tunnels). An IPv4 address inside an
 * IPv6 one (`::ffff:203.0.114.7`) is unwrapped. Runs once a visit, so the common cases allocate nothing.
 */
export function publicClientIp(address: string | null): string | null {
  const text = address?.trim();
  if (!text) return null;
  if (!text.includes(":")) return isPublicIpv4(text) ? text : null;
  // A zone (`%eth0`) only means something on the machine that wrote it; such an address is never public.
  if (text.includes("%") || !isIPv6(text)) return null;
  return isPlainGlobalIpv6(text) ? text : publicIpv6(text);
}

/** Four decimal parts, no leading zeros (`010` is 8 to some readers, 10 to others), outside every special block. */
function isPublicIpv4(text: string): boolean {
  const parts = text.split(".");
  if (parts.length !== 4) return false;
  let number = 0;
  for (const part of parts) {
    const octet = decimalOctet(part);
    if (octet === null) return false;
    number = number * 256 + octet;
  }
  return !SPECIAL_IPV4.some(([first, last]) => number >= first && number <= last);
}

function decimalOctet(part: string): number | null {
  if (part.length === 0) return null;
  let octet = 0;
  for (let i = 0; i < part.length; i++) {
    const digit = part.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return null;
    octet = octet * 10 + digit;
  }
  if (octet > 255 || (part.length > 1 && part.startsWith("0"))) return null;
  return octet;
}

/**
 * IANA's special-purpose IPv4 blocks as number ranges: the very blocks `ipaddr.js` calls something else than "unicast"
 * (a property test compares the two); kept here because parsing with it costs twenty times as much.
 */
const SPECIAL_IPV4: readonly (readonly [first: number, last: number])[] = [
  block(0, 0, 0, 8),
  block(10, 0, 0, 8),
  block(100, 64, 0, 10),
  block(127, 0, 0, 8),
  block(169, 254, 0, 16),
  block(172, 16, 0, 12),
  block(192, 0, 0, 24),
  block(192, 0, 2, 24),
  block(192, 31, 196, 24),
  block(192, 52, 193, 24),
  block(192, 88, 99, 24),
  block(192, 168, 0, 16),
  block(192, 175, 48, 24),
  block(198, 18, 0, 15),
  block(198, 51, 100, 24),
  block(203, 0, 113, 24),
  block(224, 0, 0, 3),
];

function block(a: number, b: number, c: number, prefix: number): readonly [first: number, last: number] {
  const first = ((a * 256 + b) * 256 + c) * 256;
  return [first, first + 2 ** (32 - prefix) - 1];
}

/** Ordinary provider space (2003:: to 3ffe::), apart from 2620:, which holds one special block: its first group tells. */
function isPlainGlobalIpv6(text: string): boolean {
  const first = Number.parseInt(text, 16);
  return first >= 0x2003 && first <= 0x3ffe && first !== 0x2620;
}

/** @param text a valid IPv6 address */
function publicIpv6(text: string): string | null {
  const address = IPv6.parse(text);
  if (address.isIPv4MappedAddress()) {
    const inner = address.toIPv4Address().toString();
    return isPublicIpv4(inner) ? inner : null;
  }
  const first = address.parts[0] ?? 0;
  // Only 2000::/3 has been allocated to the public internet; ipaddr.js calls the rest unicast too.
  const allocated = first >= 0x2000 && first <= 0x3fff;
  return allocated && address.range() === "unicast" ? text : null;
}
