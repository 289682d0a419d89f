import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { clientAddressFinder } from "../../src/redirect/client-address.ts";

describe("clientAddressFinder", () => {
  const behindProxy = clientAddressFinder(["10.0.0.0/8", "fd00::/8"]);

  test.each([
    ["198.51.100.9", "1.2.3.4", "198.51.100.9", "a header from a stranger is ignored"],
    ["10.0.0.1", "1.2.3.4", "1.2.3.4", "the proxy tells"],
    ["::ffff:10.0.0.1", "1.2.3.4", "1.2.3.4", "IPv4 over an IPv6 socket"],
    [
      "10.0.0.1",
      "6.6.6.6, 1.2.3.4, 10.9.9.9",
      "1.2.3.4",
      "the rightmost untrusted hop; what it claims is ignored",
    ],
    ["10.0.0.1", "1.2.3.4:5678", "1.2.3.4", "a port"],
    ["10.0.0.1", "[2001:db8::5]:443", "2001:db8::5", "IPv6 in brackets"],
    ["fd00::1", "2001:db8::5", "2001:db8::5", "an IPv6 proxy"],
    ["10.0.0.1", "1.2.3.4, unknown, 10.0.0.2", "10.0.0.2", "a hop that is no address ends the chain"],
    ["10.0.0.1", "", "10.0.0.1", "an empty header"],
    ["10.0.0.1", "::FFFF:1.2.3.4", "1.2.3.4", "IPv4 inside IPv6, in capitals"],
    ["10.0.0.1", "::ffff:102:304", "1.2.3.4", "IPv4 inside IPv6, in hexadecimal"],
    ["10.0.0.1", "0:0:0:0:0:ffff:1.2.3.4", "1.2.3.4", "IPv4 inside IPv6, at full length"],
    ["10.0.0.1", "1.2.3.4, ::FFFF:a00:2", "1.2.3.4", "a proxy inside IPv6"],
    ["10.0.0.1", "::ffff:0:1.2.3.4", "::ffff:0:1.2.3.4", "an IPv6 address that only looks so"],
    ["10.0.0.1", "::FFFF:1.2.3.4%eth0.1", "::FFFF:1.2.3.4%eth0.1", "a zone that nobody else understands"],
  ])("peer %p with %p is %p: %s", (peer, header, expected) => {
    expect(behindProxy.find(peer, header)).toBe(expected);
  });

  test("without a header the client is the peer, and without a peer nobody", () => {
    expect(behindProxy.find("10.0.0.1", null)).toBe("10.0.0.1");
    expect(behindProxy.find(null, "1.2.3.4")).toBeNull();
  });

  test("no header makes it throw", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.ipV6(),
          fc.string().map((text) => `::FFFF:${text}`),
        ),
        (header) => {
          expect(typeof behindProxy.find("10.0.0.1", header)).toBe("string");
        },
      ),
    );
  });
});
