import { describe, expect, test } from "bun:test";
import { mayBeSpooled, reportedIp } from "../../src/tracking/session.ts";

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

describe("whether a token that nobody knows may be a visit on its way, where it is", () => {
  const now = new Date("2026-01-20T12:00:00Z");
  const MINUTE_MS = 60_000;
  const DAY_MS = 1_440 * MINUTE_MS;
  const madeAgo = (ageMs: number, version = "7") =>
    `${(now.getTime() - ageMs).toString(16).padStart(12, "0")}${version}abc8${"0".repeat(15)}`;

  test.each<[string, string, boolean]>([
    ["made just now", madeAgo(0), true],
    ["made six days ago", madeAgo(6 * DAY_MS), true],
    ["made eight days ago", madeAgo(8 * DAY_MS), false],
    ["of a clock four minutes ahead", madeAgo(-4 * MINUTE_MS), true],
    ["of a clock six minutes ahead", madeAgo(-6 * MINUTE_MS), false],
    ["of somebody who denied consent", madeAgo(0, "8"), true],
    ["of another version", madeAgo(0, "4"), false],
    ["that is no token", madeAgo(0).slice(1), false],
  ])("%s", (_which, token, expected) => {
    expect(mayBeSpooled(token, now)).toBe(expected);
  });
});
