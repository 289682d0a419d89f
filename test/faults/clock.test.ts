import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { seededRandom } from "../support/seeded-random.ts";
import { until } from "../support/until.ts";
import { faultSeed } from "./fault-seed.ts";
import { printFigures } from "./figures.ts";
import { untilMoreVisits } from "./ledger.ts";
import { startLoad } from "./load.ts";
import { troubleMeta } from "./meta-trouble.ts";
import { expectAllKept } from "./oracle.ts";
import { openWorld, type World } from "./world.ts";

const CLIENTS = 4;
const VISITS = 120;
const AHEAD = "+400d";

/** What a process has to be given so that its clock is ahead. @throws where Debian's faketime is missing */
function clockAhead(): Record<string, string> {
  const [library] = new Bun.Glob("*/faketime/libfaketimeMT.so.1").scanSync({
    cwd: "/usr/lib",
    absolute: true,
  });
  if (library === undefined) throw new Error("faketime is missing: apt-get install faketime");
  return { LD_PRELOAD: library, FAKETIME: AHEAD };
}

describe.if(process.env.TEST_FAULTS === "1")("a clock that is ahead by more than a year, on sqlite", () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld("sqlite");
  }, 60_000);
  afterAll(() => world.close(), 60_000);

  test("for one start: nothing that waits expires, nothing is removed, and with the right time all is delivered", async () => {
    const seed = faultSeed();
    const { ledger, db, sandbox } = world;
    await troubleMeta(sandbox, [{ mode: "reset", rate: 1 }], seed);
    const before = await world.serve();
    const load = startLoad({
      ledger,
      clients: CLIENTS,
      random: seededRandom(seed),
      address: () => before.url,
    });
    await untilMoreVisits(ledger, VISITS);
    await load.stop();
    await before.kill();
    const visits = await db.$count(db.tables.sessions);
    const waiting = await db.$count(db.tables.outboxProgress);

    const said: string[] = [];
    const onLogLine = (line: string) => void said.push(line);
    const ahead = await world.serve({ ...clockAhead(), LOG_LEVEL: "warn" }, { onLogLine });
    const hasSaid = (words: string) => said.some((line) => line.includes(words));
    await until(() => hasSaid("they wait, for the clock leapt") && hasSaid("nothing is removed for its age"));
    await ahead.kill();
    // What faketime shares between processes outlives them.
    for (const name of ["faketime_shm_", "sem.faketime_sem_"])
      rmSync(`/dev/shm/${name}${ahead.pid}`, { force: true });
    expect(await db.$count(db.tables.sessions)).toBe(visits);
    expect(await db.$count(db.tables.outboxProgress)).toBe(waiting);

    await world.serve();
    const findings = await world.settle();
    printFigures(`a clock ahead by ${AHEAD}, sqlite, seed ${seed}`, findings, { kills: 2 });
    expectAllKept(findings);
  }, 300_000);
});
