import { expect, test } from "bun:test";
import { ipVerdict } from "../../src/sandbox/public-ip.ts";

test.each<[string, ReturnType<typeof ipVerdict>]>([
  ["203.0.113.7", "public"],
  ["8.8.8.8", "public"],
  ["172.32.0.1", "public"],
  ["100.128.0.1", "public"],
  ["2001:db8::1", "public"],
  ["2804:14d:7e80::5", "public"],
  ["::ffff:203.0.113.7", "public"],
  ["0.0.0.0", "private"],
  ["10.0.0.1", "private"],
  ["100.64.0.1", "private"],
  ["127.0.0.1", "private"],
  ["169.254.1.1", "private"],
  ["172.16.0.1", "private"],
  ["172.31.255.255", "private"],
  ["192.168.1.1", "private"],
  ["224.0.0.1", "private"],
  ["255.255.255.255", "private"],
  ["::", "private"],
  ["::1", "private"],
  ["0:0:0:0:0:0:0:1", "private"],
  ["fc00::1", "private"],
  ["FD12:3456::1", "private"],
  ["fe80::1", "private"],
  ["ff02::1", "private"],
  ["::ffff:10.0.0.1", "private"],
  ["256.1.1.1", "invalid"],
  ["1.2.3", "invalid"],
  ["203.0.113.7:443", "invalid"],
  ["[2001:db8::1]", "invalid"],
  ["fe80::1%eth0", "invalid"],
  ["203.0.113.7, 10.0.0.1", "invalid"],
  ["unknown", "invalid"],
])("%s is %s", (address, verdict) => {
  expect(ipVerdict(address)).toBe(verdict);
});
