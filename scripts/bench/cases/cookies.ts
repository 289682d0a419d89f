import { join } from "node:path";
import { sql } from "drizzle-orm";
import type { RawNumber } from "../../../src/db/database.ts";
import type { Bench, BenchCase, Figures } from "../case.ts";
import { rate, runWrk, type WrkSummary } from "../load/wrk.ts";
import { takeTurns } from "../rounds.ts";
import { seedPools, seedVisits } from "../seed.ts";
import { answerOf, startBare } from "../servers/bare.ts";
import { freshSqlite, type Place } from "../servers/databases.ts";
import { startPonte } from "../servers/ponte.ts";

const CONNECTIONS = 64;
const PATH = "/api/tracking/cookies";
/** More than are reported in a round, so that every report is its session's first: what is known already is not written. */
const SESSIONS = 200_000;
const HOLD_MS = 3_600_000;

export const cookiesCase: BenchCase = {
  name: "cookies",
  title: "`POST /api/tracking/cookies` for live sessions, SQLite, 64 connections",
  yardstick: "a bare `Bun.serve` that gives the same bytes and reads nothing",
  unit: "req/s",
  bar: { kind: "at-least", ratio: 0.3 },
  needs: ["wrk"],
  run: measureCookies,
};

async function measureCookies(bench: Bench): Promise<Figures> {
  const { effort, folder } = bench;
  const place = await freshSqlite(folder);
  await seedPools(place.db);
  const tokens = await seedVisits(place.db, effort.warmUp ? SESSIONS : 2_000, HOLD_MS);
  const tokenFile = join(folder, "tokens.txt");
  await Bun.write(tokenFile, `${tokens.join("\n")}\n`);
  const ponte = await startPonte(place);
  const bare = await startBare(await answerOf(await oneReport(ponte.url, tokens[0] ?? "")));
  const reports = async (url: string, seconds: number) => {
    const load = { script: "cookies.lua", args: [PATH, tokenFile], connections: CONNECTIONS };
    const summary = await runWrk({ ...load, url, seconds });
    if (summary.errors.status > 0) throw new Error(`${summary.errors.status} reports were refused`);
    return summary;
  };
  try {
    if (effort.warmUp) {
      await reports(ponte.url, 2);
      await reports(bare.url, 2);
    }
    return await takeTurns(bench, {
      async ours() {
        await forget(place);
        const summary = await reports(ponte.url, effort.seconds);
        await checkMerged(place, summary, tokens.length);
        return rate(summary);
      },
      yardstick: async () => rate(await reports(bare.url, effort.seconds)),
    });
  } finally {
    await Promise.all([ponte.stop(), bare.stop()]);
    await place.db.close();
  }
}

async function oneReport(url: string, token: string): Promise<Response> {
  const body = JSON.stringify({ tracking_token: token, _fbp: "fb.1.1761200000000.123456789" });
  const response = await fetch(`${url}${PATH}`, { method: "POST", body });
  if (response.status !== 204) throw new Error(`a report was answered with ${response.status}`);
  return response;
}

/** Lets the sessions be as they were before any report, and their events wait again. */
async function forget({ db }: Place): Promise<void> {
  await db.transaction(async (tx) => {
    const { now, plusMs } = db.dialect;
    await tx.rows(sql`update meta_tracking_sessions set cookies_at = null, fbi = null`);
    await tx.rows(sql`update outbox_progress set available_at = ${plusMs(now, HOLD_MS)}`);
  });
}

/** Every session that a report was acknowledged for carries it, and its event is released with what was learnt. */
async function checkMerged({ db }: Place, { requests }: WrkSummary, sessions: number): Promise<void> {
  const { now } = db.dialect;
  const [row] = await db.rows<{ merged: RawNumber; released: RawNumber }>(sql`
    select (select count(*) from meta_tracking_sessions where cookies_at is not null and fbi is not null) as merged,
           (select count(*) from outbox_progress where available_at <= ${now}) as released`);
  const least = Math.min(requests, sessions);
  const merged = Number(row?.merged);
  const released = Number(row?.released);
  if (merged < least || released < least || merged > requests + CONNECTIONS) {
    throw new Error(
      `${requests} reports were acknowledged, but ${merged} sessions carry one and ${released} events were released`,
    );
  }
}
