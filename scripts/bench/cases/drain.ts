import { sql } from "drizzle-orm";
import type { Bench, BenchCase, Figures } from "../case.ts";
import { drainOutbox } from "../outbox-drain.ts";
import { drainPeer, installPeers, PEERS, type Peer } from "../peers.ts";
import { takenBySandbox } from "../ready-made.ts";
import { figure } from "../report.ts";
import { takeTurns } from "../rounds.ts";
import { seedPools } from "../seed.ts";
import { freshPostgres, freshSqlite, type Place } from "../servers/databases.ts";
import { startSandboxProcess } from "../servers/ponte.ts";
import { median } from "../statistics.ts";

export const drainCases: readonly BenchCase[] = [
  {
    name: "drain-postgres",
    title: "outbox drained over HTTP to the sandbox, Postgres",
    yardstick:
      "the faster of graphile-worker (batched local queue) and pg-boss on the same server, jobs that do nothing",
    unit: "events/s",
    bar: { kind: "at-least", ratio: 1.5 },
    needs: ["postgres", "peers"],
    run: async (bench) =>
      measureDrain(bench, await freshPostgres(bench.folder, await bench.postgres()), PEERS),
  },
  {
    name: "drain-sqlite",
    title: "outbox drained over HTTP to the sandbox, SQLite",
    yardstick: "graphile-worker (batched local queue) on Postgres, jobs that do nothing",
    unit: "events/s",
    bar: { kind: "at-least", ratio: 4 },
    needs: ["postgres", "peers"],
    run: async (bench) => measureDrain(bench, await freshSqlite(bench.folder), ["graphile-worker"]),
  },
];

async function measureDrain(bench: Bench, place: Place, peers: readonly Peer[]): Promise<Figures> {
  const { effort, say } = bench;
  await installPeers(say);
  await seedPools(place.db);
  const rates = new Map<Peer, number[]>();
  const taken: number[] = [];
  try {
    const { ours } = await takeTurns(bench, {
      async ours() {
        await tidy(place);
        const sandbox = await startSandboxProcess();
        const rate = await drainOutbox(place, sandbox.url, effort.events);
        await sandbox.stop();
        taken.push(await takenBySandbox(place, effort.events));
        return rate;
      },
      async yardstick() {
        for (const peer of peers) {
          const rate = await drainPeer(peer, await bench.postgres(), effort.events);
          rates.set(peer, [...(rates.get(peer) ?? []), rate]);
        }
        return Math.max(...[...rates.values()].map((all) => all.at(-1) ?? 0));
      },
    });
    // The peer that is faster over all rounds, not the luckier one of each.
    const [fastest, ...others] = [...rates].sort(([, a], [, b]) => median(b) - median(a));
    if (!fastest) throw new Error("no peer was measured");
    return {
      ours,
      yardstick: fastest[1],
      beside: [
        { name: "the faster one", figure: fastest[0] },
        ...others.map(([name, all]) => ({ name, figure: `${figure(median(all))} jobs/s` })),
        {
          name: "the sandbox alone, sent ready-made requests",
          figure: `${figure(median(taken))} events/s, ${(median(taken) / median(fastest[1])).toFixed(2)} of the yardstick`,
        },
      ],
    };
  } finally {
    await place.db.close();
  }
}

/** What autovacuum would do in a quiet minute, so that rounds do not weigh on each other. */
async function tidy({ db }: Place): Promise<void> {
  if (db.dialect.name === "postgres") await db.rows(sql`vacuum analyze`);
}
