import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { seededRandom } from "../support/seeded-random.ts";
import { until } from "../support/until.ts";
import { faultSeed } from "./fault-seed.ts";
import { printFigures } from "./figures.ts";
import { untilMoreVisits } from "./ledger.ts";
import { SLUG, startLoad } from "./load.ts";
import { expectAllKept } from "./oracle.ts";
import { type RedisServer, startRedis } from "./redis.ts";
import { openWorld, type World } from "./world.ts";

const CLIENTS = 6;
/** Visits that are waited for in each state that Redis is in. */
const VISITS = 150;
const KILLS = 2;
const LIMIT = 20;

describe.if(process.env.TEST_FAULTS === "1")("an outage of Redis under load", () => {
  let world: World;
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
    world = await openWorld("postgres");
  }, 60_000);
  afterAll(async () => {
    await world.close();
    await redis.remove();
  }, 60_000);

  test("killed, restarted or hanging: no visit is lost or refused, and only the limit is no longer shared", async () => {
    const seed = faultSeed();
    const { ledger } = world;
    const environment = {
      REDIS_URL: redis.url,
      RATE_LIMIT_PER_HOUR: String(LIMIT),
      TRUSTED_PROXIES: "127.0.0.1/32",
    };
    const webs = await Promise.all([1, 2].map(() => world.serve({ ROLE: "web", ...environment })));
    await world.serve({ ROLE: "dispatcher", ...environment });
    const urls = webs.map(({ url }) => url);
    let turn = 0;
    const address = () => urls[turn++ % urls.length] ?? null;
    const load = startLoad({ ledger, clients: CLIENTS, random: seededRandom(seed), address });
    let visitors = 0;
    /** How many visits of one address are let in, by both processes in turn, before one is refused. */
    async function letIn(): Promise<number> {
      const headers = { "x-forwarded-for": `2001:db8:0:${(++visitors).toString(16)}::1` };
      for (let visits = 0; ; visits++) {
        const answer = await fetch(`${urls[visits % 2]}/go/${SLUG}?fbclid=limit${visits}`, { headers });
        await answer.text();
        if (answer.status === 429) return visits;
      }
    }
    // Each process lets in as many as the limit says before it looks at anybody else's count.
    const isShared = async () => (await letIn()) < 2 * LIMIT - 1;

    await until(isShared);
    await untilMoreVisits(ledger, VISITS);
    for (let kills = 0; kills < KILLS; kills++) {
      await redis.kill();
      await untilMoreVisits(ledger, VISITS);
      expect(await isShared()).toBe(false);
      await redis.start();
      await until(isShared);
    }
    redis.freeze();
    await untilMoreVisits(ledger, VISITS);
    expect(await isShared()).toBe(false);
    redis.thaw();
    await until(isShared);
    await load.stop();

    const findings = await world.settle();
    printFigures(`Redis killed and hanging, seed ${seed}`, findings, { kills: KILLS, restarts: KILLS });
    expectAllKept(findings);
    expect(ledger.refused.visit).toBe(0);
    expect(ledger.unanswered).toEqual({ visit: 0, cookies: 0, payment: 0 });
  }, 300_000);
});
