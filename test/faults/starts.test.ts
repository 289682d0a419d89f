import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { freePort } from "../../scripts/lib/free-port.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { faultSeed } from "./fault-seed.ts";
import { printFigures } from "./figures.ts";
import { startLoad } from "./load.ts";
import { expectAllKept } from "./oracle.ts";
import { API_KEY, openWorld, type World } from "./world.ts";

const STARTS = 20;
const CLIENTS = 12;
/** Of the servers, the rest are asked to stop: only what they leave lets the next one open its door early. */
const KILLED = 1 / 4;
/** Longest life of a server after it was wholly there, milliseconds. */
const LONGEST_LIFE_MS = 200;

/** Whether it kept visits in the spool, which it does in no other trouble of this test. */
async function tookVisitsEarly(url: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${API_KEY}` };
  const metrics = await (await fetch(`${url}/metrics`, { headers })).text();
  return /^ponte_visits_recorded_total\{where="spool"\} [1-9]/m.test(metrics);
}

/** A real process comes and goes while visitors knock at its port; `./scripts/test faults` runs it. */
describe.if(process.env.TEST_FAULTS === "1")("starts on sqlite", () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld("sqlite");
  }, 60_000);
  afterAll(() => world.close(), 60_000);

  test("under load, after stops and kills, lose nothing of whom they let in before the database is open", async () => {
    const seed = faultSeed();
    const random = seededRandom(seed);
    const PORT = String(freePort());
    const load = startLoad({
      ledger: world.ledger,
      clients: CLIENTS,
      random,
      address: () => `http://127.0.0.1:${PORT}`,
    });
    let kills = 0;
    let early = 0;
    for (let starts = 0; starts < STARTS; starts++) {
      const server = await world.serve({ PORT });
      if (await tookVisitsEarly(server.url)) early++;
      await Bun.sleep(random() * LONGEST_LIFE_MS);
      if (random() < KILLED) {
        await server.kill();
        kills++;
      } else {
        expect(await server.stop()).toBe(0);
      }
    }
    await world.serve({ PORT });
    await load.stop();

    const findings = await world.settle();
    printFigures(`starts, sqlite, seed ${seed}`, findings, { kills, restarts: STARTS - kills });
    expectAllKept(findings);
    expect(early).toBeGreaterThan(0);
    expect(world.ledger.visits.length).toBeGreaterThan(STARTS);
  }, 300_000);
});
