import type { Bench, BenchCase, Figures } from "../case.ts";
import { clicks, durableClicks } from "../load/clicks.ts";
import { figure } from "../report.ts";
import { takeTurns } from "../rounds.ts";
import { seedPools } from "../seed.ts";
import { seedSessions } from "../seed-sessions.ts";
import { freshSqlite } from "../servers/databases.ts";
import { startPonte } from "../servers/ponte.ts";

const CONNECTIONS = 64;
const TOLD_EVERY = 1_000_000;

export const sizeCase: BenchCase = {
  name: "size",
  title: "`GET /go/:slug` with many sessions and events in the tables, SQLite, 64 connections",
  yardstick: "the same with few",
  unit: "req/s",
  bar: { kind: "at-least", ratio: 0.9 },
  needs: ["wrk"],
  run: measureSize,
};

async function measureSize(bench: Bench): Promise<Figures> {
  const { effort, folder, say } = bench;
  const [big, small] = await Promise.all([freshSqlite(folder, "big"), freshSqlite(folder, "small")]);
  const places = [
    { place: big, sessions: effort.sessions },
    { place: small, sessions: effort.smallSessions },
  ];
  for (const { place, sessions } of places) {
    await seedPools(place.db);
    await seedSessions(place.db, sessions, (written) => {
      if (written % TOLD_EVERY === 0) say(`${written} sessions written`);
    });
  }
  const [withMany, withFew] = await Promise.all([startPonte(big), startPonte(small)]);
  try {
    if (effort.warmUp) {
      await clicks(withMany.url, CONNECTIONS, 2);
      await clicks(withFew.url, CONNECTIONS, 2);
    }
    const figures = await takeTurns(bench, {
      ours: () => durableClicks(big, withMany.url, CONNECTIONS, effort.seconds),
      yardstick: () => durableClicks(small, withFew.url, CONNECTIONS, effort.seconds),
    });
    const held = `${figure(effort.sessions)} against ${figure(effort.smallSessions)} sessions, each with its event`;
    return { ...figures, beside: [{ name: "tables", figure: held }] };
  } finally {
    await Promise.all([withMany.stop(), withFew.stop()]);
    await Promise.all([big.db.close(), small.db.close()]);
  }
}
