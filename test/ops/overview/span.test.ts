import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatMoney } from "../../../src/money/format.ts";
import { coarsen, smooth } from "../../../src/ops/overview/coarsen.ts";
import { readSpan } from "../../../src/ops/overview/span.ts";

const NOW = Date.parse("2025-03-15T12:34:56.000Z");
const HOUR = 3_600_000;
const custom = (from: string, to: string) => readSpan({ span: "custom", from, to }, "UTC", NOW);

describe("the span of the overview", () => {
  test("is the last 24 hours where nothing, or nothing known, is asked for", () => {
    for (const query of [undefined, {}, { span: "all" }, { span: ["1h", "7d"] }, { span: "custom" }]) {
      expect(readSpan(query, "UTC", NOW)).toMatchObject({ name: "24h", unit: "minute" });
    }
  });

  test("takes in the minute that has begun, so that what happens now shows now", () => {
    const { fromMs, toMs, isLive } = readSpan({ span: "1h" }, "UTC", NOW);
    expect([new Date(fromMs).toISOString(), new Date(toMs).toISOString(), isLive]).toEqual([
      "2025-03-15T11:35:00.000Z",
      "2025-03-15T12:35:00.000Z",
      true,
    ]);
  });

  test("shows days by the hour, and so what is older than the minutes that are kept", () => {
    expect(readSpan({ span: "7d" }, "UTC", NOW).unit).toBe("hour");
    expect(custom("2025-03-15T10:00", "2025-03-15T11:00").unit).toBe("minute");
    expect(custom("2025-03-01T10:00", "2025-03-01T11:00").unit).toBe("hour");
  });

  test("a custom one is read in the operator's zone and does not renew itself once it is over", () => {
    const query = { span: "custom", from: "2025-03-01T00:00", to: "2025-03-02T00:00" };
    const span = readSpan(query, "America/Sao_Paulo", NOW);
    expect(new Date(span.fromMs).toISOString()).toBe("2025-03-01T03:00:00.000Z");
    expect(span.isLive).toBe(false);
    expect(readSpan(Object.fromEntries(new URLSearchParams(span.query)), "America/Sao_Paulo", NOW)).toEqual(
      span,
    );
  });

  test("one that makes no sense is said to, and the last 24 hours are shown", () => {
    for (const [from, to] of [
      ["2025-03-02T00:00", "2025-03-01T00:00"],
      ["2020-01-01T00:00", "2025-01-01T00:00"],
      ["never", "2025-01-01T00:00"],
    ] as const) {
      const span = custom(from, to);
      expect(span.name).toBe("24h");
      expect(span.fault).toBeString();
    }
  });

  test("one that nobody knows is said to be unknown, and times alone are a custom one", () => {
    for (const span of ["9y", "unknown", ["1h", "7d"]]) {
      const read = readSpan({ span }, "UTC", NOW);
      expect([read.name, read.fault]).toEqual(["24h", expect.stringContaining("choose 1h, 24h, 7d, 30d")]);
    }
    for (const query of [undefined, {}, { from: "", to: "" }, { span: "7d" }])
      expect(readSpan(query, "UTC", NOW).fault).toBeNull();
    const times = { from: "2025-03-01T00:00", to: "2025-03-02T00:00" };
    expect(readSpan(times, "UTC", NOW)).toEqual(custom(times.from, times.to));
    expect(readSpan({ from: "2025-03-15T00:00" }, "UTC", NOW)).toMatchObject({ name: "custom", toMs: NOW });
    expect(readSpan({ to: "2025-03-15T00:00" }, "UTC", NOW).fault).toContain("both times");
  });

  test("whatever is asked for, it is at most 92 days long and begins before it ends", () => {
    fc.assert(
      fc.property(fc.anything(), fc.string(), fc.string(), (span, from, to) => {
        const read = readSpan({ span, from, to }, "UTC", NOW);
        expect(read.toMs).toBeGreaterThan(read.fromMs);
        expect(read.toMs - read.fromMs).toBeLessThanOrEqual(92 * 24 * HOUR);
      }),
    );
  });
});

describe("many points", () => {
  const minutes = (n: number) => Array.from({ length: n }, (_, i) => ({ at: new Date(i * 60_000), n: 1 }));
  const add = (a: { at: Date; n: number }, b: { n: number }) => ({ at: a.at, n: a.n + b.n });

  test("become hours or days in a table, and nothing is lost on the way", () => {
    for (const [n, lines] of [
      [60, 60],
      [24 * 60, 24],
      [30 * 24 * 60, 30],
    ] as const) {
      const table = coarsen(minutes(n), "UTC", add);
      expect(table.length).toBe(lines);
      expect(table.reduce((sum, line) => sum + line.n, 0)).toBe(n);
    }
  });

  test("become means in a chart", () => {
    const mean = (some: readonly { at: Date; n: number }[]) => ({
      at: some[0]?.at ?? new Date(0),
      n: some.reduce((sum, { n }) => sum + n, 0) / some.length,
    });
    expect(smooth(minutes(60), mean).step).toBe(1);
    const day = smooth(minutes(24 * 60), mean);
    expect(day.step).toBe(5);
    expect(day.points.length).toBe(288);
    expect(new Set(day.points.map(({ n }) => n))).toEqual(new Set([1]));
  });
});

test("money reads as its currency has it, and what is no currency as it stands", () => {
  expect(formatMoney(499_000, "BRL", "en")).toBe("R$4,990.00");
  // Not the bare sign: a dozen currencies of the Americas share it.
  expect(formatMoney(499_000, "MXN", "en")).toBe("MX$4,990.00");
  expect(formatMoney(500, "JPY", "en")).toBe("¥500");
  expect(formatMoney(50, "XTR", "en")).toBe("⭐\u00a050");
  expect(formatMoney(1, "???", "en")).toBe("1 ???");
});
