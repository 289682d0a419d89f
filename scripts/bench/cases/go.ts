import type { Bench, BenchCase, Figures } from "../case.ts";
import { runWrk } from "../load/wrk.ts";
import { figure } from "../report.ts";
import { takeTurns } from "../rounds.ts";
import { BOT, OPEN_PATH, seedPools, seedVisits } from "../seed.ts";
import { type Answer, answerOf, startBare, startMetal } from "../servers/bare.ts";
import { freshPostgres, freshSqlite, lastIds, type Place, rowsAfter } from "../servers/databases.ts";
import { startPonte } from "../servers/ponte.ts";
import { median } from "../statistics.ts";

const BARE = "a bare `Bun.serve` that gives the same bytes";

export const goCases: readonly BenchCase[] = [
  goCase("go-sqlite-64", "SQLite, 64 connections", 64, 0.3, onSqlite),
  goCase("go-sqlite-256", "SQLite, 256 connections", 256, 0.36, onSqlite),
  {
    ...goCase("go-postgres-64", "Postgres on the same machine, 64 connections", 64, 0.18, onPostgres),
    needs: ["wrk", "postgres"],
  },
];

function onSqlite({ folder }: Bench): Promise<Place> {
  return freshSqlite(folder);
}

async function onPostgres(bench: Bench): Promise<Place> {
  return freshPostgres(bench.folder, await bench.postgres());
}

function goCase(
  name: string,
  where: string,
  connections: number,
  ratio: number,
  place: (bench: Bench) => Promise<Place>,
): BenchCase {
  return {
    name,
    title: `\`GET /go/:slug\`, durable, ${where}`,
    yardstick: BARE,
    unit: "req/s",
    bar: { kind: "at-least", ratio },
    needs: ["wrk"],
    run: async (bench) => measureGo(bench, await place(bench), connections),
  };
}

async function measureGo(bench: Bench, place: Place, connections: number): Promise<Figures> {
  const { effort } = bench;
  await seedPools(place.db);
  const ponte = await startPonte(place);
  const answer = await answerOf(await oneClick(ponte.url));
  const bare = await startBare(answer);
  const metal = place.db.dialect.name === "sqlite" ? await openMetal(bench, answer) : null;
  const metalRates: number[] = [];
  try {
    if (effort.warmUp) {
      for (const { url } of [ponte, bare, ...(metal ? [metal] : [])]) await clicks(url, connections, 2);
    }
    const figures = await takeTurns(bench, {
      ours: () => durableClicks(place, ponte.url, connections, effort.seconds),
      async yardstick() {
        if (metal) {
          metalRates.push(await durableClicks(metal.place, metal.url, connections, effort.seconds));
        }
        return rate(await clicks(bare.url, connections, effort.seconds));
      },
    });
    if (!metal) return figures;
    const share = median(metalRates) / median(figures.yardstick);
    return {
      ...figures,
      beside: [
        {
          name: "a server of one thread that only commits ready-made rows by raw `bun:sqlite`, then gives the same bytes",
          figure: `${figure(median(metalRates))} req/s, ${share.toFixed(2)} of the yardstick`,
        },
      ],
    };
  } finally {
    await Promise.all([ponte.stop(), bare.stop(), metal?.stop()]);
    await Promise.all([place.db.close(), metal?.place.db.close()]);
  }
}

/** What a durable click costs where nothing of Ponte's is done for it: how much of what is missing is not its own. */
async function openMetal({ folder }: Bench, answer: Answer) {
  const place = await freshSqlite(folder, "metal");
  await seedPools(place.db);
  await seedVisits(place.db, 1, 0);
  return { place, ...(await startMetal(answer, place.databaseUrl)) };
}

/** A click as a browser makes it, answered with the bridge page. @throws Error where it is answered with anything else */
export async function oneClick(url: string): Promise<Response> {
  const response = await fetch(`${url}${OPEN_PATH}?fbclid=IwZXh0bgNhZW0BMABhZGlkAasT&utm_source=facebook`, {
    headers: { "x-forwarded-proto": "https", host: "go.example.com", "x-forwarded-for": "177.45.10.20" },
    redirect: "manual",
  });
  const page = await response.clone().text();
  if (response.status !== 200 || !page.includes(`https://t.me/${BOT}?start=`)) {
    throw new Error(`a click was answered with ${response.status} and no link to the bot`);
  }
  return response;
}

/** Clicks, as many as are answered; every answer must be a page. */
export async function clicks(url: string, connections: number, seconds: number) {
  const args = [OPEN_PATH, String(Math.floor(Math.random() * 1e9))];
  const summary = await runWrk({ script: "go.lua", args, url, connections, seconds });
  if (summary.errors.status > 0) {
    throw new Error(`${summary.errors.status} of ${summary.requests} clicks were answered with an error`);
  }
  return summary;
}

export function rate({ requests, seconds }: { requests: number; seconds: number }): number {
  return requests / seconds;
}

/**
 * Clicks a second, each of which is in the database afterwards, with its event: wrk breaks off what is under way at
 * the end, so at most one visit a connection may be there that it counted no answer for.
 */
export async function durableClicks(
  place: Place,
  url: string,
  connections: number,
  seconds: number,
): Promise<number> {
  const before = await lastIds(place);
  const summary = await clicks(url, connections, seconds);
  const written = await settledRows(place, before);
  for (const [what, count] of Object.entries(written)) {
    if (count < summary.requests || count > summary.requests + connections) {
      throw new Error(`${summary.requests} clicks were answered, but ${count} ${what} were written`);
    }
  }
  return rate(summary);
}

/** A database may pause for so long before it commits what is still under way. */
const SETTLED_AFTER_MS = 500;

/** The rows written since, once no more are coming. */
async function settledRows(place: Place, before: { sessions: number; events: number }) {
  let seen = await rowsAfter(place, before);
  for (;;) {
    await Bun.sleep(SETTLED_AFTER_MS);
    const now = await rowsAfter(place, before);
    if (now.sessions === seen.sessions && now.events === seen.events) return now;
    seen = now;
  }
}
