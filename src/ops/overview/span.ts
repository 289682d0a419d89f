import { z } from "zod";
import { endOfThisMinute, LONGEST_MS, type TimeRange, unitOf } from "../../overview/time-range.ts";
import { DAY_MS, HOUR_MS } from "../../platform/durations.ts";
import { instantOfWall } from "../zone.ts";

export const SPANS = ["1h", "24h", "7d", "30d"] as const;
const LENGTHS = { "1h": HOUR_MS, "24h": DAY_MS, "7d": 7 * DAY_MS, "30d": 30 * DAY_MS };

/** Which range of time the page tells of. */
export interface Span extends TimeRange {
  readonly name: (typeof SPANS)[number] | "custom";
  /** The page's address again, for links and for what is fetched anew. */
  readonly query: string;
  /** New things go on happening in it. */
  readonly isLive: boolean;
  /** What was wrong with what was asked for. */
  readonly fault: string | null;
}

const line = z.string().max(40).catch("");
const querySchema = z
  .object({
    span: z
      .enum([...SPANS, "custom", "unknown"])
      .optional()
      .catch("unknown"),
    from: line,
    to: line,
  })
  // Times alone say as much.
  .transform(({ span, ...times }) => ({
    ...times,
    span: span ?? (times.from || times.to ? "custom" : "24h"),
  }));

/** Reads `?span=` and, for a custom one, `from` and `to` as the clock in `zone` shows them. Never fails. */
export function readSpan(query: unknown, zone: string, nowMs: number): Span {
  const { span, from, to } = querySchema.parse(query ?? {});
  if (span === "unknown")
    return preset("24h", nowMs, `There is no such span: choose ${SPANS.join(", ")} or two times.`);
  if (span !== "custom") return preset(span, nowMs, null);
  const fromMs = instantOfWall(from, zone);
  const toMs = to === "" ? nowMs : instantOfWall(to, zone);
  if (fromMs === null || toMs === null)
    return preset("24h", nowMs, "Give both times, for example 2025-03-01T12:00.");
  if (toMs <= fromMs) return preset("24h", nowMs, "The end must come after the beginning.");
  if (toMs - fromMs > LONGEST_MS) return preset("24h", nowMs, "A span may have at most 92 days.");
  return {
    name: span,
    fromMs,
    toMs,
    unit: unitOf(fromMs, toMs, nowMs),
    query: `?${new URLSearchParams({ span, from, to })}`,
    isLive: toMs >= nowMs,
    fault: null,
  };
}

function preset(name: (typeof SPANS)[number], nowMs: number, fault: string | null): Span {
  const toMs = endOfThisMinute(nowMs);
  const fromMs = toMs - LENGTHS[name];
  return {
    name,
    fromMs,
    toMs,
    unit: unitOf(fromMs, toMs, nowMs),
    query: `?span=${name}`,
    isLive: true,
    fault,
  };
}
