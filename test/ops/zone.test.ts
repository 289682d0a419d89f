import { expect, test } from "bun:test";
import fc from "fast-check";
import { instantOfWall, wallText, zoneOf } from "../../src/ops/zone.ts";

test("reads a wall clock's time in its zone, also on either side of a change of the clocks", () => {
  const cases: [text: string, zone: string, iso: string][] = [
    ["2025-03-01T12:00", "UTC", "2025-03-01T12:00:00.000Z"],
    ["2025-03-01T12:00", "America/Sao_Paulo", "2025-03-01T15:00:00.000Z"],
    ["2025-03-01T12:00", "Asia/Kolkata", "2025-03-01T06:30:00.000Z"],
    ["2025-03-30T00:30", "Europe/Lisbon", "2025-03-30T00:30:00.000Z"],
    ["2025-03-30T02:00", "Europe/Lisbon", "2025-03-30T01:00:00.000Z"],
    // The first guess lies before the change, the wall's time behind it.
    ["2025-03-09T03:30", "America/New_York", "2025-03-09T07:30:00.000Z"],
    ["2025-11-02T12:00", "America/New_York", "2025-11-02T17:00:00.000Z"],
  ];
  for (const [text, zone, iso] of cases) {
    expect(`${text} ${zone}: ${new Date(instantOfWall(text, zone) ?? 0).toISOString()}`).toBe(
      `${text} ${zone}: ${iso}`,
    );
  }
});

test("gives null for what is no time", () => {
  for (const text of [
    "",
    "yesterday",
    "2025-02-30T12:00",
    "2025-13-01T00:00",
    "2025-01-01",
    "2025-01-01T24:00",
  ]) {
    expect(instantOfWall(text, "UTC")).toBeNull();
  }
});

test("takes the last evening of all for the last instant that both databases read", () => {
  const last = "9999-12-31T23:59:59.999Z";
  expect(new Date(instantOfWall("9999-12-31T23:59", "America/Sao_Paulo") ?? 0).toISOString()).toBe(last);
});

test("every instant comes back from its own wall clock, but for the hour that a clock shows twice", () => {
  const zones = ["UTC", "America/Sao_Paulo", "Asia/Kolkata", "Europe/Lisbon", "Pacific/Chatham"];
  const minutes = fc.integer({ min: 0, max: 60 * 24 * 365 * 80 });
  fc.assert(
    fc.property(minutes, fc.constantFrom(...zones), (minute, zone) => {
      const atMs = minute * 60_000;
      const back = instantOfWall(wallText(atMs, zone), zone) ?? 0;
      expect(wallText(back, zone)).toBe(wallText(atMs, zone));
    }),
  );
});

test("takes the operator's zone where it is one, else the installation's", () => {
  expect(zoneOf(undefined, "America/Sao_Paulo")).toBe("America/Sao_Paulo");
  expect(zoneOf("Asia%2FTokyo", "UTC")).toBe("Asia/Tokyo");
  for (const cookie of ["Mars%2FBase", "%", "<script>", "..%2F..%2Fetc%2Fpasswd", "a".repeat(500)])
    expect(zoneOf(cookie, "UTC")).toBe("UTC");
});
