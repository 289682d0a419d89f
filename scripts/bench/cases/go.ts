import type { Bench, BenchCase, Figures } from "../case.ts";
import { clicks, durableClicks, oneClick } from "../load/clicks.ts";
import { rate } from "../load/wrk.ts";
import { figure } from "../report.ts";
import { takeTurns } from "../rounds.ts";
import { seedPools, seedVisits } from "../seed.ts";
import { type Answer, answerOf, startBare, startMetal } from "../servers/bare.ts";
import { freshPostgres, freshSqlite, type Place } from "../servers/databases.ts";
import { startPonte } from "../servers/ponte.ts";
import { median } from "../statistics.ts";

const BARE = "a bare `Bun.serve` that gives the same bytes";

export const goCases: readonly BenchCase[] = [
  goCase({ database: "SQLite", connections: 64, ratio: 0.3, place: onSqlite }),
  goCase({ database: "SQLite", connections: 256, ratio: 0.36, place: onSqlite }),
  {
    ...goCase({ database: "Postgres", connections: 64, ratio: 0.18, place: onPostgres }),
    needs: ["wrk", "postgres"],
  },
];

function onSqlite({ folder }: Bench): Promise<Place> {
  return freshSqlite(folder);
}

async function onPostgres(bench: Bench): Promise<Place> {
  return freshPostgres(bench.folder, await bench.postgres());
}

interface GoCase {
  readonly database: "SQLite" | "Postgres";
  readonly connections: number;
  /** The bar, as a part of the yardstick's rate. */
  readonly ratio: number;
  readonly place: (bench: Bench) => Promise<Place>;
}

function goCase({ database, connections, ratio, place }: GoCase): BenchCase {
  const where = database === "SQLite" ? database : `${database} on the same machine`;
  return {
    name: `go-${database.toLowerCase()}-${connections}`,
    title: `\`GET /go/:slug\`, durable, ${where}, ${connections} connections`,
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
