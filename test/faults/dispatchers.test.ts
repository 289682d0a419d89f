import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { seededRandom } from "../support/seeded-random.ts";
import { until } from "../support/until.ts";
import { passWaits } from "./drain.ts";
import { faultSeed } from "./fault-seed.ts";
import { printFigures } from "./figures.ts";
import { startLoad } from "./load.ts";
import { type MetaTrouble, struckModes, troubleMeta } from "./meta-trouble.ts";
import { startOperator } from "./operator.ts";
import { expectAllKept } from "./oracle.ts";
import { openWorld, type World } from "./world.ts";

const CLIENTS = 6;
/** Each a route of its own, so that one that is paused or rests leaves the dispatchers something to do. */
const POOLS = 6;
const DISPATCHERS = 2;
/** How often each fault strikes at least. */
const STRIKES = 2;
const LOWEST_RATE = 0.04;
const HIGHEST_RATE = 0.1;

describe.if(process.env.TEST_FAULTS === "1")("two dispatchers at once", () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld("postgres", { pools: POOLS });
  }, 60_000);
  afterAll(() => world.close(), 60_000);

  test("and a Meta that fails in every way there is: nothing is lost, dead or sent under another id", async () => {
    const seed = faultSeed();
    const random = seededRandom(seed);
    const { ledger, db, sandbox, slugs } = world;
    const rate = () => LOWEST_RATE + random() * (HIGHEST_RATE - LOWEST_RATE);
    const troubles: MetaTrouble[] = [
      { mode: "latency", rate: rate(), ms: 300 },
      { mode: "500", rate: rate() },
      { mode: "500", rate: rate(), after: true },
      { mode: "429", rate: rate() },
      { mode: "429", rate: rate(), retry_after: 1 },
      { mode: "190", rate: rate() },
      { mode: "reset", rate: rate() },
      { mode: "reset", rate: rate(), after: true },
      { mode: "garbage", rate: rate() },
      { mode: "garbage", rate: rate(), after: true, status: 502 },
      { mode: "partial", rate: rate() },
      { mode: "graph", rate: rate(), code: 2, is_transient: true, status: 503 },
    ];
    await troubleMeta(sandbox, troubles, seed);
    const web = await world.serve({ ROLE: "web", PAGEVIEW_HOLD_MS: "100" });
    for (let i = 0; i < DISPATCHERS; i++) await world.serve({ ROLE: "dispatcher" });
    const operator = startOperator(db, web.url);
    const load = startLoad({ ledger, clients: CLIENTS, random, address: () => web.url, slugs });
    await until(async () => {
      await passWaits(db);
      const struck = await struckModes(sandbox);
      return struck.length === troubles.length && struck.every(({ hits }) => hits >= STRIKES);
    }, 100);
    const struck = await struckModes(sandbox);
    await load.stop();

    const findings = await world.settle();
    const resumed = await operator.stop();
    const strikes = struck.map(({ mode, hits }) => `${mode} ${hits}`).join(", ");
    printFigures(
      `two dispatchers, seed ${seed}`,
      findings,
      {},
      `faults: ${strikes}; ${resumed} routes resumed`,
    );
    expectAllKept(findings);
    expect(resumed).toBeGreaterThan(0);
  }, 300_000);
});
