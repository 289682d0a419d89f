import { describe, expect, test } from "bun:test";
import { reportedIp } from "../../src/tracking/session.ts";

const IPV4 = "177.45.10.9";
const IPV6 = "2804:14d:7e89:4f5a::7";

describe("the address that Meta is told", () => {
  test.each<[string, string | null, string | null, string | null]>([
    ["the param builder's", `${IPV6}.AQYBAQAB`, IPV4, IPV6],
    ["the request's, where it alone is IPv6", `${IPV4}.Bg`, IPV6, IPV6],
    ["the param builder's, where both are of a kind", `${IPV4}.Bg`, "177.45.10.10", IPV4],
    ["the request's, where the cookie's is private", "10.0.0.7.Bg", IPV4, IPV4],
    ["the cookie's, where the request's is private", `${IPV4}.Bg`, "fd00::1", IPV4],
    ["the request's, where there is no cookie", null, IPV4, IPV4],
    ["none, where none is public", "192.168.0.3.Bg", "127.0.0.1", null],
    ["none, where none is known", null, null, null],
  ])("is %s", (_which, fbi, clientIp, expected) => {
    expect(reportedIp(fbi, clientIp)).toBe(expected);
  });
});
