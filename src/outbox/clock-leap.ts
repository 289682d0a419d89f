import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Database, RawNumber, Reader } from "../db/database.ts";
import type { Dialect } from "../db/dialect.ts";
import { DAY_MS, MINUTE_MS } from "../platform/durations.ts";
import { parseJson } from "../platform/json.ts";
import type { Log } from "../platform/log.ts";

/** The row of `settings` that says when the database's clock was last looked at. */
export const CLOCK = "clock";
/** Nobody looked for so long: every dispatcher was off, or the clock was set forward. */
const LEAP_MS = DAY_MS;
/** A clock that went steadily for so long since is believed. */
const DOUBTED_FOR_MS = DAY_MS;

/** What an operator should do about a leap. */
export const LEAP_TODO =
  "If the clock is wrong, set it right, and run a time service. If no dispatcher ran for so long, nothing need be done.";

const leapSchema = z.object({ fromMs: z.number(), toMs: z.number() });
const markSchema = z.object({ seenAtMs: z.number(), leap: leapSchema.nullable() });

/** From where to where the clock went at once. Milliseconds since 1970. */
type Leap = z.output<typeof leapSchema>;

/** What was seen of the clock: its last time, and a leap that is not long ago. */
export type ClockMark = z.output<typeof markSchema>;

/**
 * The mark after a look at `nowMs`. Pure. A clock that leapt forward may be wrong, by years after a flat battery, and is
 * doubted until it went steadily for a day, or was set back to within a day of where it leapt from. Set back by less, it may
 * be wrong still; or somebody's look took long, and comes after another's.
 */
export function moveMark(before: ClockMark | null, nowMs: number): ClockMark {
  if (before === null) return { seenAtMs: nowMs, leap: null };
  const { seenAtMs, leap } = before;
  const fromMs = leap !== null && nowMs < leap.toMs ? leap.fromMs : seenAtMs;
  if (nowMs - fromMs > LEAP_MS) return { seenAtMs: nowMs, leap: { fromMs, toMs: nowMs } };
  const isDoubted = leap !== null && nowMs >= leap.toMs && nowMs - leap.toMs < DOUBTED_FOR_MS;
  return { seenAtMs: nowMs, leap: isDoubted ? leap : null };
}

/**
 * The leap for which the database's clock is doubted; null: it may be believed. What would end or be removed for its age
 * waits meanwhile: a clock that is ahead by mistake makes everything old.
 */
export async function clockLeap(reader: Reader, dialect: Dialect): Promise<Leap | null> {
  const { mark, nowMs } = await look(reader, dialect);
  return moveMark(mark, nowMs).leap;
}

/** Looks at the clock, and writes it down once a minute. To be called every few seconds while a dispatcher runs. */
export async function watchClock(db: Database, log: Log): Promise<void> {
  const { mark, nowMs } = await look(db, db.dialect);
  const next = moveMark(mark, nowMs);
  const isFresh = mark !== null && nowMs >= mark.seenAtMs && nowMs - mark.seenAtMs < MINUTE_MS;
  if (isFresh && mark.leap?.toMs === next.leap?.toMs) return;
  const { settings } = db.tables;
  const kept = { value: JSON.stringify(next), updatedAt: sql<Date>`${db.dialect.now}` };
  await db.transaction(async (tx) => {
    await tx
      .insert(settings)
      .values({ key: CLOCK, ...kept })
      .onConflictDoUpdate({ target: settings.key, set: kept });
  }, "relaxed");
  if (next.leap === null || next.leap.toMs === mark?.leap?.toMs) return;
  log.warn(
    { from: new Date(next.leap.fromMs), to: new Date(next.leap.toMs), todo: LEAP_TODO },
    "the clock went on by more than a day since it was last seen: for a day no event ends as too old, and retention removes nothing",
  );
}

async function look(
  reader: Reader,
  { epochMs, now }: Dialect,
): Promise<{ mark: ClockMark | null; nowMs: number }> {
  const [row] = await reader.rows<{ now_ms: RawNumber; mark: string | null }>(sql`
    select ${epochMs(now)} as now_ms, (select value from settings where key = ${CLOCK}) as mark`);
  const parsed = markSchema.safeParse(parseJson(row?.mark ?? "null"));
  return { mark: parsed.success ? parsed.data : null, nowMs: Number(row?.now_ms) };
}
