import { sql } from "drizzle-orm";
import type { RawNumber } from "../../../src/db/database.ts";
import type { Bench, BenchCase, Figures } from "../case.ts";
import { rate, runWrk, type WrkSummary } from "../load/wrk.ts";
import { takeTurns } from "../rounds.ts";
import { GATED_PATH, seedPools } from "../seed.ts";
import { answerOf, startBare } from "../servers/bare.ts";
import { freshSqlite, type Place } from "../servers/databases.ts";
import { startPonte } from "../servers/ponte.ts";

const CONNECTIONS = 64;

export const gateCase: BenchCase = {
  name: "gate",
  title: "refusals of the gate, 64 connections",
  yardstick: "a bare `Bun.serve` that gives the same bytes",
  unit: "req/s",
  bar: { kind: "at-least", ratio: 0.6 },
  needs: ["wrk"],
  run: measureRefusals,
};

async function measureRefusals(bench: Bench): Promise<Figures> {
  const { effort, folder } = bench;
  const place = await freshSqlite(folder);
  await seedPools(place.db);
  const ponte = await startPonte(place);
  const bare = await startBare(await answerOf(await oneRefusal(ponte.url)));
  let refused = 1;
  try {
    if (effort.warmUp) {
      refused += (await refusals(ponte.url, CONNECTIONS, 2)).requests;
      await refusals(bare.url, CONNECTIONS, 2);
    }
    const figures = await takeTurns(bench, {
      async ours() {
        const summary = await refusals(ponte.url, CONNECTIONS, effort.seconds);
        refused += summary.requests;
        return rate(summary);
      },
      yardstick: async () => rate(await refusals(bare.url, CONNECTIONS, effort.seconds)),
    });
    await ponte.stop();
    await checkCounted(place, refused, effort.rounds + 1);
    return figures;
  } finally {
    await Promise.all([ponte.stop(), bare.stop()]);
    await place.db.close();
  }
}

async function oneRefusal(url: string): Promise<Response> {
  const response = await fetch(`${url}${GATED_PATH}?grim=wrong`);
  if (response.status !== 403) throw new Error(`the gate answered with ${response.status}, not 403`);
  return response;
}

/** Clicks without the gate's parameter; each must be refused. */
export async function refusals(url: string, connections: number, seconds: number): Promise<WrkSummary> {
  const args = [GATED_PATH, String(Math.floor(Math.random() * 1e9))];
  const summary = await runWrk({ script: "go.lua", args, url, connections, seconds });
  if (summary.errors.status !== summary.requests) {
    throw new Error(
      `${summary.requests - summary.errors.status} of ${summary.requests} came through the gate`,
    );
  }
  return summary;
}

/** Refusals are counted in the database, and nothing else is kept of them. */
async function checkCounted({ db }: Place, refused: number, runs: number): Promise<void> {
  const [row] = await db.rows<{ counted: RawNumber; visits: RawNumber }>(sql`
    select (select coalesce(sum(total), 0) from gate_refusals) as counted,
           (select count(*) from meta_tracking_sessions) as visits`);
  const counted = Number(row?.counted);
  if (counted < refused || counted > refused + runs * CONNECTIONS || Number(row?.visits) > 0) {
    throw new Error(`${refused} refusals were given, ${counted} counted, ${row?.visits} visits written`);
  }
}
