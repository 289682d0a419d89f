import { rmSync } from "node:fs";
import { join } from "node:path";
import { seedPools, visitMaker } from "../bench/seed.ts";
import { killChildren } from "../bench/servers/child.ts";
import {
  type Cluster,
  freshPostgres,
  freshSqlite,
  type Place,
  startCluster,
} from "../bench/servers/databases.ts";
import { makeWorkFolder } from "../bench/work-folder.ts";
import { runCommand } from "../lib/command.ts";
import { explaining } from "./explain.ts";
import { fill } from "./growth/fill.ts";
import { type Filled, measure, takeRound } from "./growth/measure.ts";
import { type DatabaseName, HELP, type Options, readOptions } from "./growth/options.ts";
import { type Costs, renderTable } from "./growth/table.ts";

/** See `HELP`. */
async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const work = makeWorkFolder("ponte-growth", options.folder);
  const clear = () => rmSync(work, { recursive: true, force: true });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      killChildren();
      clear();
      process.exit(130);
    });
  }
  try {
    for (const name of options.databases)
      console.log(`${renderTable(name, await measureAll(name, options, work))}\n`);
  } finally {
    clear();
  }
  return 0;
}

async function measureAll(name: DatabaseName, options: Options, work: string): Promise<Costs[]> {
  const folder = join(work, name);
  const cluster = name === "postgres" ? await startCluster(join(work, "cluster")) : null;
  const say = (line: string) => console.error(`· ${name}: ${line}`);
  const filled: Filled[] = [];
  try {
    for (const rows of options.sizes) {
      const startedMs = performance.now();
      const { db } = await open(cluster, join(folder, String(rows)));
      filled.push({ db, rows });
      await seedPools(db);
      await fill(db, rows, say);
      say(`filled in ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`);
    }
    const costs = await measure(filled, options.rounds, say);
    if (options.explain) await explainLast(filled);
    return costs;
  } finally {
    for (const { db } of filled) await db.close();
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function open(cluster: Cluster | null, folder: string): Promise<Place> {
  return cluster ? freshPostgres(folder, await cluster.createDatabase()) : freshSqlite(folder);
}

async function explainLast(filled: readonly Filled[]): Promise<void> {
  const biggest = filled.at(-1);
  if (!biggest) return;
  await takeRound(explaining(biggest.db), await visitMaker(biggest.db, 0));
}

runCommand(main);
