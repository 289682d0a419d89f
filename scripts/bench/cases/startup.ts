import { ensureProgram } from "../../build.ts";
import { freePort } from "../../lib/free-port.ts";
import { isAnswering } from "../../lib/is-answering.ts";
import type { Bench, BenchCase, Figures } from "../case.ts";
import { takeTurns } from "../rounds.ts";
import { OPEN_PATH, seedPools } from "../seed.ts";
import { startChild, startTalker } from "../servers/child.ts";
import { freshSqlite } from "../servers/databases.ts";
import { type PonteSettings, ponteEnvironment, startPonte, startSandboxProcess } from "../servers/ponte.ts";
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
  // Once before: the secret is there, the migrations are checked, and the files are in the page cache.
  await (await startPonte(settings)).stop();
  const starts = effort.warmUp ? STARTS : 1;
  const figures = await takeTurns(bench, {
    ours: () => medianOf(starts, () => startUntilAnswer(program, settings)),
    yardstick: () => medianOf(starts, helloMs),
  });
  await sandbox.stop();
  return figures;
}

async function medianOf(count: number, measure: () => Promise<number>): Promise<number> {
  const taken: number[] = [];
  for (let i = 0; i < count; i++) taken.push(await measure());
  return median(taken);
}

/** From the start of the process, as the Dockerfile starts it, until a click is answered with a page, in the database. */
async function startUntilAnswer(program: string, settings: PonteSettings): Promise<number> {
  const port = freePort();
  const environment = ponteEnvironment(settings, port);
  const startedMs = performance.now();
  const child = startChild([program], environment);
  const url = `http://127.0.0.1:${port}${OPEN_PATH}?fbclid=start`;
  while (!(await isAnswering(url))) {
    if (!child.isRunning()) throw new Error("the server ended before it answered");
    await Bun.sleep(1);
  }
  const taken = performance.now() - startedMs;
  await child.stop();
  return taken;
}

async function helloMs(): Promise<number> {
  const startedMs = performance.now();
  const child = startTalker(["bun", "-e", 'console.log("hello")']);
  if ((await child.line()) !== "hello") throw new Error("bun did not say hello");
  await child.exited;
  return performance.now() - startedMs;
}
