import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { residentMiB } from "../../scripts/lib/resident-memory.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { until } from "../support/until.ts";
import { faultSeed } from "./fault-seed.ts";
import { printFigures } from "./figures.ts";
import { untilMoreVisits } from "./ledger.ts";
import { startLoad } from "./load.ts";
import { troubleMeta } from "./meta-trouble.ts";
import { expectAllKept } from "./oracle.ts";
import { passHours } from "./time.ts";
import { openWorld, type World } from "./world.ts";

const DAYS = 3;
const STEP_HOURS = 12;
const CLIENTS = 4;
/** Visits in each step. */
const VISITS = 120;
/** Flat means: the backlog is in the database. What grows with it would grow by the number of steps. */
const MOST_GROWTH = 2;

describe.if(process.env.TEST_FAULTS === "1").each(["sqlite", "postgres"] as const)(
  "an outage of Meta on %s",
  (dialect) => {
    let world: World;
    beforeAll(async () => {
      world = await openWorld(dialect);
    }, 60_000);
    afterAll(() => world.close(), 60_000);

    test("for three days: visits go on, memory stays flat, and in the end all is delivered with its own event_time, nothing expired", async () => {
      const seed = faultSeed();
      const random = seededRandom(seed);
      const { ledger, db, sandbox } = world;
      await troubleMeta(
        sandbox,
        [
          { mode: "reset", rate: 0.5 },
          { mode: "500", rate: 1 },
        ],
        seed,
      );
      const server = await world.serve({ PAGEVIEW_HOLD_MS: "100" });
      const failures = async () => {
        const [route] = await db.rows<{ n: number | string | null }>(
          sql`select max(failures) as n from outbox_routes`,
        );
        return Number(route?.n ?? 0);
      };
      const memory: number[] = [];
      let failed = 0;
      for (let hours = 0; hours < DAYS * 24; hours += STEP_HOURS) {
        const load = startLoad({ ledger, clients: CLIENTS, random, address: () => server.url });
        await untilMoreVisits(ledger, VISITS);
        await load.stop();
        // Meta is tried again in each step, and not before its time has passed.
        await until(async () => (await failures()) > failed);
        failed = await failures();
        memory.push(residentMiB(server.pid));
        await passHours(db, ledger, STEP_HOURS);
      }
      expect(sandbox.events.count().count).toBe(0);

      const findings = await world.settle();
      const note = `${DAYS} days in steps of ${STEP_HOURS} hours; ${memory.at(0)?.toFixed()} MiB of memory after the first, ${memory.at(-1)?.toFixed()} MiB after the last`;
      printFigures(`Meta away, ${dialect}, seed ${seed}`, findings, {}, note);
      expectAllKept(findings);
      expect(memory.at(-1)).toBeLessThan(MOST_GROWTH * (memory.at(0) ?? 0));
    }, 300_000);
  },
);
