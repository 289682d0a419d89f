import type { Bench, BenchCase, Figures } from "../case.ts";
import { clicks, oneClick } from "../load/clicks.ts";
import { type LoadResult, runConstantRate } from "../load/constant-rate.ts";
import { rate } from "../load/wrk.ts";
import { figure } from "../report.ts";
import { takeTurns } from "../rounds.ts";
import { OPEN_PATH, seedPools } from "../seed.ts";
import { answerOf, startBare } from "../servers/bare.ts";
import { freshSqlite } from "../servers/databases.ts";
import { startPonte } from "../servers/ponte.ts";
import { median } from "../statistics.ts";

const CONNECTIONS = 64;
/** Runs that find the own maximum; the middle one counts. */
const MAXIMUM_RUNS = 3;

export const tailCase: BenchCase = {
  name: "go-p99",
  title: "p99 of `GET /go/:slug` at half its own maximum rate, SQLite",
  yardstick: "p99 of a bare `Bun.serve` at the same rate",
  unit: "ms",
  bar: { kind: "at-most", ratio: 6 },
  needs: ["wrk"],
  run: measureTail,
};

async function measureTail(bench: Bench): Promise<Figures> {
  const { effort, folder, say } = bench;
  const place = await freshSqlite(folder);
  await seedPools(place.db);
  const ponte = await startPonte(place);
  const bare = await startBare(await answerOf(await oneClick(ponte.url)));
  const results: { ours: LoadResult[]; bare: LoadResult[] } = { ours: [], bare: [] };
  try {
    const maxima: number[] = [];
    for (let i = 0; i < (effort.warmUp ? MAXIMUM_RUNS : 1); i++) {
      maxima.push(rate(await clicks(ponte.url, CONNECTIONS, effort.seconds)));
    }
    const ratePerSecond = Math.round(median(maxima) / 2);
    say(`at ${ratePerSecond} requests a second, half of the maximum`);
    const load = { path: OPEN_PATH, ratePerSecond, seconds: effort.seconds, connections: CONNECTIONS };
    const measure = async (url: string, into: LoadResult[]) => {
      const result = await runConstantRate({ ...load, url });
      into.push(result);
      return result.p99Ms;
    };
    const figures = await takeTurns(bench, {
      ours: () => measure(ponte.url, results.ours),
      yardstick: () => measure(bare.url, results.bare),
    });
    return {
      ...figures,
      beside: [
        { name: "rate", figure: `${figure(ratePerSecond)} req/s` },
        { name: "p50", figure: pair(results, ({ p50Ms }) => p50Ms) },
        { name: "longest", figure: pair(results, ({ maxMs }) => maxMs) },
        { name: "p99 of how late requests left", figure: pair(results, ({ lagP99Ms }) => lagP99Ms) },
      ],
    };
  } finally {
    await Promise.all([ponte.stop(), bare.stop()]);
    await place.db.close();
  }
}

function pair(
  results: { readonly ours: readonly LoadResult[]; readonly bare: readonly LoadResult[] },
  of: (result: LoadResult) => number,
): string {
  return `${figure(median(results.ours.map(of)))} ms against ${figure(median(results.bare.map(of)))} ms`;
}
