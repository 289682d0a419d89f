import { openDatabase } from "../../../src/db/open.ts";
import { ensureProgram } from "../../build.ts";
import { freePort } from "../../lib/free-port.ts";
import { isAnswering } from "../../lib/is-answering.ts";
import type { Bench, BenchCase, Figures } from "../case.ts";
import { figure } from "../report.ts";
import { takeTurns } from "../rounds.ts";
import { OPEN_PATH, seedPools } from "../seed.ts";
import { type Child, startChild, startTalker } from "../servers/child.ts";
import { freshSqlite } from "../servers/databases.ts";
import { type PonteSettings, ponteEnvironment, startSandboxProcess } from "../servers/ponte.ts";
import { median } from "../statistics.ts";

/** Starts a round; their median is the round's figure. */
const STARTS = 5;

export const startupCase: BenchCase = {
  name: "startup",
  title: "start to the first answered click, existing SQLite database",
  yardstick: "`bun` printing hello, from its start to its end",
  unit: "ms",
  bar: { kind: "at-most", ratio: 6 },
  needs: [],
  run: measureStart,
};

async function measureStart(bench: Bench): Promise<Figures> {
  const { effort, folder } = bench;
  const place = await freshSqlite(folder);
  await seedPools(place.db);
  await place.db.close();
  const sandbox = await startSandboxProcess();
  const settings: PonteSettings = { ...place, graphUrl: sandbox.url, role: "all" };
  const program = await ensureProgram();
  const start = () => startUntilAnswer(program, settings);
  // Once before: the secret is there, the migrations are checked, and the files are in the page cache.
  await (await start()).stop();
  const starts = effort.warmUp ? STARTS : 1;
  let clicks = 1;
  async function measureOnce(end: "stop" | "kill"): Promise<number> {
    const started = await start();
    clicks++;
    await started[end]();
    return started.tookMs;
  }
  const afterKill: number[] = [];
  const figures = await takeTurns(bench, {
    ours: () => medianOf(starts, () => measureOnce("stop")),
    async yardstick() {
      await measureOnce("kill");
      afterKill.push(await measureOnce("stop"));
      return medianOf(starts, helloMs);
    },
  });
  await sandbox.stop();
  await checkStored(settings, clicks);
  const share = median(afterKill) / median(figures.yardstick);
  return {
    ...figures,
    beside: [
      {
        name: "after `kill -9`, where the database is opened before anybody is answered",
        figure: `${figure(median(afterKill))} ms, ${share.toFixed(2)} of the yardstick`,
      },
    ],
  };
}

/** @throws Error where a click that was answered is not in the database */
async function checkStored({ databaseUrl }: PonteSettings, clicks: number): Promise<void> {
  const db = await openDatabase({ url: databaseUrl });
  const stored = await db.$count(db.tables.sessions);
  await db.close();
  if (stored !== clicks) throw new Error(`${clicks} clicks were answered, and ${stored} are in the database`);
}

async function medianOf(count: number, measure: () => Promise<number>): Promise<number> {
  const taken: number[] = [];
  for (let i = 0; i < count; i++) taken.push(await measure());
  return median(taken);
}

interface Started extends Child {
  readonly tookMs: number;
}

/**
 * From the start of the process, as the Dockerfile starts it, until a click is answered with a page, and safe on the disk.
 * Resolves once the whole program runs, and has had time to bring the click into the database.
 */
async function startUntilAnswer(program: string, settings: PonteSettings): Promise<Started> {
  const port = freePort();
  const environment = ponteEnvironment(settings, port);
  const startedMs = performance.now();
  const child = startChild([program], environment);
  const url = `http://127.0.0.1:${port}`;
  const untilAnswering = async (path: string) => {
    while (!(await isAnswering(url + path))) {
      if (!child.isRunning()) throw new Error("the server ended before it answered");
      await Bun.sleep(1);
    }
  };
  await untilAnswering(`${OPEN_PATH}?fbclid=start`);
  const tookMs = performance.now() - startedMs;
  await untilAnswering("/healthz");
  return { ...child, tookMs };
}

async function helloMs(): Promise<number> {
  const startedMs = performance.now();
  const child = startTalker(["bun", "-e", 'console.log("hello")']);
  if ((await child.line()) !== "hello") throw new Error("bun did not say hello");
  await child.exited;
  return performance.now() - startedMs;
}
