import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { seededRandom } from "../support/seeded-random.ts";
import { faultSeed } from "./fault-seed.ts";
import { printFigures } from "./figures.ts";
import { startLoad } from "./load.ts";
import { TRANSIENT, troubleMeta } from "./meta-trouble.ts";
import { expectAllKept } from "./oracle.ts";
import { openWorld, type World } from "./world.ts";

const KILLS = Number(process.env.FAULT_KILLS ?? 50);
const CLIENTS = 12;

/** Longest life of a server, milliseconds. */
const LONGEST_LIFE_MS = 300;

/** Real processes are killed under load; `./scripts/test faults` runs it. */
describe.if(process.env.TEST_FAULTS === "1").each(["sqlite", "postgres"] as const)(
  "kill -9 on %s",
  (dialect) => {
    let world: World;
    beforeAll(async () => {
      world = await openWorld(dialect);
    }, 60_000);
    afterAll(() => world.close(), 60_000);

    test("at random moments of web and dispatcher, under load and with a troubled Meta, loses nothing", async () => {
      const seed = faultSeed();
      const random = seededRandom(seed);
      await troubleMeta(world.sandbox, TRANSIENT, seed);
      // On SQLite one process does it all. On Postgres a web process is killed in turn with one of two dispatchers.
      const roles = dialect === "sqlite" ? ["all"] : ["web", "dispatcher", "dispatcher"];
      const servers = await Promise.all(roles.map((ROLE) => world.serve({ ROLE })));
      let address: string | null = servers[0]?.url ?? null;
      const load = startLoad({ ledger: world.ledger, clients: CLIENTS, random, address: () => address });

      for (let kills = 0; kills < KILLS; kills++) {
        await Bun.sleep(random() * LONGEST_LIFE_MS);
        const victim = Math.floor(random() * roles.length);
        if (victim === 0) address = null;
        await servers[victim]?.kill();
        servers[victim] = await world.serve({ ROLE: roles[victim] ?? "all" });
        if (victim === 0) address = servers[0]?.url ?? null;
      }
      await load.stop();

      const findings = await world.settle();
      printFigures(`kill -9, ${dialect}, seed ${seed}`, findings, { kills: KILLS });
      expectAllKept(findings);
      expect(world.ledger.visits.length).toBeGreaterThan(KILLS);
      expect(world.ledger.payments.length).toBeGreaterThan(0);
    }, 300_000);
  },
);
