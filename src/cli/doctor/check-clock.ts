import type { Config } from "../../config.ts";
import type { Database } from "../../db/database.ts";
import { databaseNowMs } from "../../db/database-now.ts";
import { clockLeap, LEAP_TODO } from "../../outbox/clock-leap.ts";
import { duration } from "../print.ts";
import { bad, type Finding, good, warning } from "./finding.ts";

const WARNING_MS = 2_000;
const BAD_MS = 60_000;
const TIMEOUT_MS = 10_000;
/** A `Date` header is in whole seconds. */
const HALF_A_SECOND_MS = 500;

/** Whether the clocks agree: the machine's, the database's and Meta's. `isOnline: false` asks Meta nothing. */
export async function checkClocks(db: Database, { meta }: Config, isOnline: boolean): Promise<Finding[]> {
  const found = await Promise.all([
    compareDatabase(db),
    isOnline ? compareMeta(meta.graphUrl) : null,
    checkLeap(db),
  ]);
  return found.filter((finding) => finding !== null);
}

async function compareDatabase(db: Database): Promise<Finding> {
  const startedMs = Date.now();
  const databaseMs = await databaseNowMs(db);
  const aheadMs = databaseMs - middle(startedMs);
  const todo = "Run a time service (chrony, systemd-timesyncd) on both machines.";
  return difference("the database", aheadMs, "this machine", todo);
}

/** Null where Meta does not answer, or says no time: whether it can be reached is told with the pixels. */
async function compareMeta(graphUrl: string): Promise<Finding | null> {
  const startedMs = Date.now();
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const answer = await fetch(graphUrl, { redirect: "manual", signal }).catch(() => null);
  await answer?.body?.cancel();
  const metaMs = Date.parse(answer?.headers.get("date") ?? "");
  if (Number.isNaN(metaMs)) return null;
  const aheadMs = middle(startedMs) - (metaMs + HALF_A_SECOND_MS);
  const todo = "Run a time service (chrony, systemd-timesyncd) on this machine.";
  return difference("this machine", aheadMs, "Meta", todo);
}

/** Now, reckoned to the middle of a round trip that began then. */
function middle(startedMs: number): number {
  return (startedMs + Date.now()) / 2;
}

function difference(who: string, aheadMs: number, whom: string, todo: string): Finding {
  const awayMs = Math.round(Math.abs(aheadMs));
  const text = `${who} is ${duration(awayMs)} ${aheadMs < 0 ? "behind" : "ahead of"} ${whom}`;
  if (awayMs > BAD_MS) return bad("clock", `${text}: Meta refuses events from the future and old ones`, todo);
  return awayMs > WARNING_MS ? warning("clock", text, todo) : good("clock", text);
}

async function checkLeap(db: Database): Promise<Finding | null> {
  const leap = await clockLeap(db, db.dialect);
  if (leap === null) return null;
  const { fromMs, toMs } = leap;
  const text = `the database's went on by ${duration(toMs - fromMs)} since it was last seen: no event ends as too old, and retention removes nothing, until it went steadily for a day`;
  return warning("clock", text, LEAP_TODO);
}
