import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isInMemory } from "../bench/machine.ts";
import { UsageError } from "../bench/options.ts";
import { seedPools } from "../bench/seed.ts";
import { killChildren } from "../bench/servers/child.ts";
import {
  type Cluster,
  freshPostgres,
  freshSqlite,
  type Place,
  startCluster,
} from "../bench/servers/databases.ts";
import { explaining } from "./growth/explain.ts";
import { fill } from "./growth/fill.ts";
import { measure } from "./growth/measure.ts";
import { type DatabaseName, HELP, type Options, readOptions } from "./growth/options.ts";
import { type Costs, renderTable } from "./growth/table.ts";

/** Measured first and thrown away, so that no size pays for what a young process has yet to compile. */
const WARM_UP_ROWS = 1_000;

/** See `HELP`. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return;
  }
  const work = workFolder(options.folder);
  const clear = () => rmSync(work, { recursive: true, force: true });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      killChildren();
      clear();
      process.exit(130);
    });
  }
  try {
    // Postgres runs as a user of its own.
    await chmod(work, 0o755);
    for (const name of options.databases)
      console.log(`${renderTable(name, await measureAll(name, options, work))}\n`);
  } finally {
    clear();
  }
}

/** Durable commits are part of what is measured: a folder in memory would make them free. */
function workFolder(given: string | null): string {
  const parent = given ?? tmpdir();
  if (!existsSync(parent)) throw new UsageError(`There is no folder ${parent}`);
  if (isInMemory(parent)) {
    throw new UsageError(
      `${parent} lies in memory, where durability costs nothing. Give one on a disk: --dir FOLDER`,
    );
  }
  return mkdtempSync(join(parent, "ponte-growth-"));
}

async function measureAll(name: DatabaseName, options: Options, work: string): Promise<Costs[]> {
  const folder = join(work, name);
  const cluster = name === "postgres" ? await startCluster(join(work, "cluster")) : null;
  const all: Costs[] = [];
  const sizes = [WARM_UP_ROWS, ...options.sizes];
  try {
    for (const [i, rows] of sizes.entries()) {
      const place = await open(cluster, folder);
      try {
        const costs = await measureOne(place, rows, options);
        if (i > 0) all.push(costs);
      } finally {
        await place.db.close();
        rmSync(folder, { recursive: true, force: true });
      }
      // Whoever has no time for the biggest size still has the others.
      console.error(renderTable(name, all));
    }
    return all;
  } finally {
    await cluster?.stop();
  }
}

async function open(cluster: Cluster | null, folder: string): Promise<Place> {
  return cluster ? freshPostgres(folder, await cluster.createDatabase()) : freshSqlite(folder);
}

async function measureOne({ db }: Place, rows: number, { rounds, sizes, explain }: Options): Promise<Costs> {
  const say = (line: string) => console.error(`· ${db.dialect.name}: ${line}`);
  const startedMs = performance.now();
  await seedPools(db);
  await fill(db, rows, say);
  say(`filled in ${((performance.now() - startedMs) / 1_000).toFixed(0)} s; measuring ${rounds} rounds`);
  const costs = await measure(db, { rows, rounds });
  if (explain && rows === sizes.at(-1)) await measure(explaining(db), { rows, rounds: 0 });
  return costs;
}

main().then(
  () => process.exit(0),
  (error) => {
    if (error instanceof UsageError) console.error(`✗ ${error.message}`);
    else console.error(error);
    process.exit(error instanceof UsageError ? 2 : 1);
  },
);
