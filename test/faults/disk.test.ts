import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { seededRandom } from "../support/seeded-random.ts";
import { until } from "../support/until.ts";
import { type Disk, openDisk } from "./disk.ts";
import { faultSeed } from "./fault-seed.ts";
import { printFigures } from "./figures.ts";
import { type AcknowledgedVisit, untilMoreVisits } from "./ledger.ts";
import { SLUG, startLoad } from "./load.ts";
import { expectAllKept } from "./oracle.ts";
import { openWorld, type World } from "./world.ts";

const CLIENTS = 4;
const VISITS = 100;
const KILLS = 5;

describe.if(process.env.TEST_FAULTS === "1")("a full disk on SQLite, under load", () => {
  let disk: Disk;
  let world: World | undefined;
  beforeEach(async () => {
    disk = await openDisk();
  });
  afterEach(async () => {
    await world?.close();
    await disk.remove();
  }, 60_000);

  test("of the database: visits go to the spool, providers are told to try again, and all arrives when there is room", async () => {
    const seed = faultSeed();
    const here = await openWorld("sqlite", { databaseFolder: disk.folder });
    world = here;
    const { ledger } = here;
    const server = await here.serve();
    const address = () => server.url;
    const load = startLoad({ ledger, clients: CLIENTS, random: seededRandom(seed), address });
    await untilMoreVisits(ledger, VISITS);
    await disk.fill(server.pid);
    await until(async () => (await here.spooled()) >= VISITS);
    await until(() => ledger.refused.payment > 0);
    const spooled = await here.spooled();
    await disk.makeRoom(server.pid);
    await until(async () => (await here.spooled()) === 0);
    await untilMoreVisits(ledger, VISITS);
    await load.stop();

    const findings = await here.settle();
    const note = `${disk.kind}, ${spooled} visits in the spool`;
    printFigures(`SQLite's disk full, seed ${seed}`, findings, {}, note);
    expectAllKept(findings);
    expect([ledger.refused.visit, ledger.unanswered.visit]).toEqual([0, 0]);
  }, 300_000);

  test("of the database: a server that is told to stop meanwhile ends in good order", async () => {
    world = await openWorld("sqlite", { databaseFolder: disk.folder });
    const server = await world.serve();
    const visit = async () => expect((await fetch(`${server.url}/go/${SLUG}`)).status).toBe(200);
    for (let i = 0; i < VISITS; i++) await visit();
    await disk.fill(server.pid);
    while ((await world.spooled()) === 0) await visit();
    expect(await server.stop()).toBe(0);
  }, 60_000);

  test("of the spool too, and kill -9: whoever is answered gets the page, and what is stored nowhere is in the log, whole", async () => {
    const seed = faultSeed();
    const here = await openWorld("sqlite", { databaseFolder: disk.folder, dataDir: disk.folder });
    world = here;
    const { ledger } = here;
    const logged = new Map<string, object>();
    const onLogLine = (line: string) => {
      // The console's first password is no line of the log.
      if (!line.startsWith("{")) return;
      const { level, visit } = JSON.parse(line);
      if (level === FATAL && visit) logged.set(visit.trackingToken, visit);
    };
    let server = await here.serve({}, { onLogLine });
    let address: string | null = server.url;
    const random = seededRandom(seed);
    const load = startLoad({ ledger, clients: CLIENTS, random, address: () => address });
    await untilMoreVisits(ledger, VISITS);
    await disk.fill(server.pid);
    for (let kills = 0; kills <= KILLS; kills++) {
      const before = logged.size;
      await until(() => logged.size >= before + VISITS);
      if (kills === KILLS) break;
      await Bun.sleep(random() * 100);
      address = null;
      await server.kill();
      server = await here.serve({}, { onLogLine });
      await disk.fill(server.pid);
      address = server.url;
    }
    await disk.makeRoom(server.pid);
    await untilMoreVisits(ledger, VISITS);
    await load.stop();

    const findings = await here.settle();
    const note = `${disk.kind}, ${logged.size} visits in the log alone`;
    // Without its visit nobody knows whose pixel a Purchase belongs to.
    const purchases = ledger.payments
      .filter(({ token }) => logged.has(token))
      .map(({ id }) => `purchase_${id}`);
    const inLog = new Set([...[...logged.keys()].map((token) => `evt_${token}`), ...purchases]);
    const missing = findings.missing.filter((id) => !inLog.has(id));
    printFigures(
      `database's and spool's disk full, seed ${seed}`,
      { ...findings, missing },
      { kills: KILLS },
      note,
    );
    expectAllKept({ ...findings, missing });
    expect(ledger.refused.visit).toBe(0);
    const whole = ledger.visits.filter(({ token }) => logged.has(token));
    expect(whole.map(({ token }) => logged.get(token) ?? {})).toEqual(whole.map(loggedAs));
  }, 300_000);
});

/** Pino's number for `fatal`. */
const FATAL = 60;

function loggedAs({ token, fbclid, campaign }: AcknowledgedVisit): object {
  return expect.objectContaining({ trackingToken: token, fbclid, utmCampaign: campaign });
}
