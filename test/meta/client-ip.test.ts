import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { IPv4, IPv6 } from "ipaddr.js";
import { publicClientIp } from "../../src/meta/client-ip.ts";

describe("the client's address", () => {
  test.each([
    "8.8.8.8",
    "201.17.3.4",
    "172.15.255.255",
    "172.32.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "223.255.255.255",
    "2804:14c:65d1:8a2f::17",
    "2a03:2880:f10c:83:face:b00c:0:25de",
    "2620:0:1cfe:face:b00c::3",
    "2001:4860:4860::8888",
  ])("%s is public and sent as it came", (address) => {
    expect(publicClientIp(address)).toBe(address);
  });

  test.each([
    ["10.1.2.3", "private"],
    ["172.16.0.1", "private"],
    ["192.168.1.1", "private"],
    ["127.0.0.1", "loopback"],
    ["169.254.10.1", "link-local"],
    ["100.64.0.1", "CGNAT"],
    ["100.127.255.255", "CGNAT"],
    ["192.0.2.1", "documentation"],
    ["198.51.100.7", "documentation"],
    ["203.0.113.9", "documentation"],
    ["198.18.0.1", "benchmarking"],
    ["0.0.0.0", "unspecified"],
    ["224.0.0.1", "multicast"],
    ["255.255.255.255", "broadcast"],
    ["::1", "loopback"],
    ["::", "unspecified"],
    ["fe80::1", "link-local"],
    ["fe80::1%eth0", "link-local with a zone"],
    ["2804:14c::1%eth0", "an address with a zone"],
    ["fd12:3456:789a::1", "unique local"],
    ["2001:db8::1", "documentation"],
    ["3fff::1", "documentation"],
    ["2002:c000:204::1", "6to4"],
    ["64:ff9b::808:808", "NAT64"],
    ["2620:4f:8000::1", "AS112"],
    ["1000::1", "unallocated"],
    ["4000::1", "unallocated"],
    ["ff02::1", "multicast"],
    ["::ffff:10.0.0.1", "a private address in IPv6"],
    ["::ffff:127.0.0.1", "loopback in IPv6"],
  ])("%s is dropped (%s)", (address) => {
    expect(publicClientIp(address)).toBeNull();
  });

  test.each([
    "",
    "  ",
    "unknown",
    "8.8.8",
    "8.8.8.8.8",
    "8.8..8",
    "8.8.8.256",
    "08.8.8.8",
    "0x8.8.8.8",
    "8.8.8.a",
    "8.8.8.0000000000000000000008",
    "8.8.8.8:443",
    "[2804::1]:443",
    "8.8.8.8, 1.1.1.1",
    "::g",
    "2804:::1",
    "-1.8.8.8",
    "8. 8.8.8",
  ])("%p is no address", (text) => {
    expect(publicClientIp(text)).toBeNull();
  });

  test("an IPv4 address inside an IPv6 one is unwrapped", () => {
    expect(publicClientIp("::ffff:201.17.3.4")).toBe("201.17.3.4");
    expect(publicClientIp("::FFFF:c911:304")).toBe("201.17.3.4");
  });

  test("every IPv4 address is judged as ipaddr.js judges it", () => {
    const blocks = [0, 10, 100, 127, 169, 172, 192, 198, 203, 223, 224, 240, 255];
    const first = fc.oneof(fc.constantFrom(...blocks), fc.nat(255));
    const second = fc.oneof(
      fc.constantFrom(0, 2, 18, 19, 31, 51, 52, 63, 64, 88, 127, 168, 175, 254),
      fc.nat(255),
    );
    const third = fc.oneof(fc.constantFrom(0, 2, 48, 99, 100, 113, 193, 196), fc.nat(255));
    fc.assert(
      fc.property(first, second, third, fc.nat(255), (...octets) => {
        const text = octets.join(".");
        expect(publicClientIp(text)).toBe(IPv4.parse(text).range() === "unicast" ? text : null);
      }),
      { numRuns: 5000 },
    );
  });

  test("every allocated IPv6 address is judged as ipaddr.js judges it", () => {
    const first = fc.oneof(
      fc.constantFrom(0x2001, 0x2002, 0x2003, 0x2620, 0x3ffe, 0x3fff),
      fc.integer({ min: 0x2000, max: 0x3fff }),
    );
    const second = fc.oneof(
      fc.constantFrom(0, 2, 3, 4, 0x10, 0x20, 0x30, 0x4f, 0xdb8, 0x1ff, 0x200),
      fc.nat(0xffff),
    );
    const third = fc.oneof(fc.constantFrom(0, 0x112, 0x8000), fc.nat(0xffff));
    fc.assert(
      fc.property(first, second, third, fc.nat(0xffff), (a, b, c, d) => {
        const address = new IPv6([a, b, c, 0, 0, 0, 0, d]);
        for (const text of [address.toString(), address.toNormalizedString()]) {
          expect(publicClientIp(text)).toBe(address.range() === "unicast" ? text : null);
        }
      }),
      { numRuns: 5000 },
    );
  });
});
