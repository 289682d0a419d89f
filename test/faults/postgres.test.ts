import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { seededRandom } from "../support/seeded-random.ts";
import { until } from "../support/until.ts";
import { faultSeed } from "./fault-seed.ts";
import { printFigures } from "./figures.ts";
import { untilMoreVisits } from "./ledger.ts";
import { startLoad } from "./load.ts";
import { TRANSIENT, troubleMeta } from "./meta-trouble.ts";
import { expectAllKept } from "./oracle.ts";
import { API_KEY, openWorld, type World } from "./world.ts";

const RESTARTS = 3;
const CLIENTS = 8;
/** Visits that are waited for during each outage. */
const VISITS = 30;

describe.if(process.env.TEST_FAULTS === "1")("an outage of Postgres under load", () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld("postgres");
  }, 60_000);
  afterEach(() => world.close(), 60_000);

  test("restarted with `immediate`: every visitor gets the page, providers are told to try again, and everything arrives once it is back", async () => {
    const seed = faultSeed();
    const random = seededRandom(seed);
    const { cluster, ledger } = world;
    await troubleMeta(world.sandbox, TRANSIENT, seed);
    let web = await world.serve({ ROLE: "web" });
    await world.serve({ ROLE: "dispatcher" });
    let address: string | null = web.url;
    const load = startLoad({ ledger, clients: CLIENTS, random, address: () => address });

    for (let restarts = 0; restarts < RESTARTS; restarts++) {
      await untilMoreVisits(ledger, VISITS * random());
      await cluster?.crash();
      await until(async () => (await world.spooled()) > 0);
      const refused = { ...ledger.refused };
      await until(() => ledger.refused.payment > refused.payment && ledger.refused.cookies > refused.cookies);
      await untilMoreVisits(ledger, VISITS);
      if (restarts === 1) {
        // The web process dies too, and comes back while there is no database: pools and visits are on its disk.
        address = null;
        await web.kill();
        web = await world.serve({ ROLE: "web" });
        address = web.url;
        await untilMoreVisits(ledger, VISITS);
      }
      await cluster?.start();
      await until(async () => (await world.spooled()) === 0);
    }
    await load.stop();

    const findings = await world.settle();
    printFigures(`Postgres restarted, seed ${seed}`, findings, { kills: 1, restarts: RESTARTS });
    expectAllKept(findings);
    expect(ledger.refused.visit).toBe(0);
    // Only the web process that was killed with their requests in its hands.
    expect(ledger.unanswered.visit).toBeLessThanOrEqual(CLIENTS);
    expect(ledger.payments.length).toBeGreaterThan(0);
  }, 300_000);

  test("stopped: scripts and operators are told to come again, and find everything once it is back", async () => {
    const web = await world.serve({ ROLE: "web" });
    const headers = { authorization: `Bearer ${API_KEY}` };
    const ask = async () => {
      const answer = await fetch(`${web.url}/api/pools`, { headers });
      return [answer.status, answer.headers.get("retry-after")];
    };
    expect(await ask()).toEqual([200, null]);
    await world.cluster?.crash();
    // The first may find connections that have just died.
    for (let i = 0; i < 5; i++) expect(await ask()).toEqual([503, "5"]);
    await world.cluster?.start();
    await until(async () => (await ask())[0] === 200);
  }, 60_000);

  test("hanging: every visitor gets the page all the same, providers are told to try again, and everything arrives once it goes on", async () => {
    const seed = faultSeed();
    const random = seededRandom(seed);
    const { cluster, ledger } = world;
    const web = await world.serve({ ROLE: "web" });
    await world.serve({ ROLE: "dispatcher" });
    const load = startLoad({ ledger, clients: CLIENTS, random, address: () => web.url });
    await untilMoreVisits(ledger, VISITS);
    cluster?.freeze();
    try {
      await until(async () => (await world.spooled()) >= VISITS);
      await until(() => ledger.refused.payment > 0 && ledger.refused.cookies > 0);
      await untilMoreVisits(ledger, VISITS);
    } finally {
      cluster?.thaw();
    }
    await until(async () => (await world.spooled()) === 0);
    await load.stop();

    const findings = await world.settle();
    printFigures(`Postgres hanging, seed ${seed}`, findings, {});
    expectAllKept(findings);
    expect([ledger.refused.visit, ledger.unanswered.visit]).toEqual([0, 0]);
    expect([ledger.unanswered.cookies, ledger.unanswered.payment]).toEqual([0, 0]);
  }, 300_000);
});
