import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { readConfig } from "../../src/config.ts";
import type { Database } from "../../src/db/database.ts";
import { openDatabase } from "../../src/db/open.ts";
import { overviewOf } from "../../src/ops/overview/read-overview.ts";
import { readSpan, SPANS } from "../../src/ops/overview/span.ts";
import type { OutboxFilter } from "../../src/outbox/filter.ts";
import { beat } from "../../src/outbox/heartbeat.ts";
import { listOutbox } from "../../src/outbox/outbox-rows.ts";
import { countReplay } from "../../src/outbox/replay.ts";
import { readCounted, readPresent } from "../../src/overview/read-facts.ts";
import { DAY_MS, HOUR_MS } from "../../src/platform/durations.ts";
import { createLog } from "../../src/platform/log.ts";
import { createRollups } from "../../src/rollups/rollups.ts";
import { LiveOverview } from "../../views/ops/overview.tsx";
import { median } from "../bench/statistics.ts";
import { readFlags, runCommand, wholeNumber } from "../lib/command.ts";
import { explaining } from "./explain.ts";
import { seedConsole } from "./seed-console.ts";

const HELP = `Usage: bun scripts/measure/console.ts [options]

How long the console's overview and outbox take, and how long they hold up the process, over millions of rows.

  --rows N     visits to seed (default 5000000)
  --url URL    postgres://… or a SQLite file (default: a file that is removed afterwards)
  --seeded     the rows are there already
  --explain    also shows how the database goes about the statements
  --help       this text
`;

const FLAGS = {
  rows: { type: "string", default: "5000000" },
  url: { type: "string" },
  seeded: { type: "boolean", default: false },
  explain: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

const CONFIG = readConfig({});
const ROUNDS = 15;
const ZONE = "America/Sao_Paulo";

/** What operators ask of the outbox, cheap and dear. */
const LISTS: Readonly<Record<string, OutboxFilter>> = {
  everything: {},
  dead: { status: "dead" },
  "dead, by words": { status: "dead", text: "no such words" },
  pending: { status: "pending" },
  "an event nobody has": { eventName: "Nothing" },
  "a pool": { pool: "pool-3" },
  "words nobody has": { text: "no such words" },
  "an hour weeks ago": {
    eventName: "Nothing",
    after: new Date(Date.now() - 20 * DAY_MS),
    before: new Date(Date.now() - 20 * DAY_MS + HOUR_MS),
  },
};

async function main(): Promise<number> {
  const options = readFlags(process.argv.slice(2), FLAGS);
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const visits = wholeNumber("rows", options.rows);
  const folder = mkdtempSync(join(tmpdir(), "ponte-measure-"));
  const db = await openDatabase({ url: options.url ?? join(folder, "ponte.db") });
  try {
    await db.migrate();
    if (!options.seeded)
      await timed(db, `seeding ${visits} visits`, () => seedConsole(db, { visits, nowMs: Date.now() }));
    await beat(db, "measure");
    const rollups = createRollups({ db, log: createLog("warn") });
    await timed(db, "counting everything for the first time", () => rollups.run());
    for (const span of SPANS) await measure(db, span);
    for (const [name, filter] of Object.entries(LISTS)) await measureList(db, name, filter);
    if (options.explain) await explain(db);
  } finally {
    await db.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return 0;
}

/** The whole page from the tables, nothing remembered. */
async function measure(db: Database, name: string): Promise<void> {
  const tookMs: number[] = [];
  let bytes = 0;
  const held = watchLoop();
  for (let i = 0; i < ROUNDS; i++) {
    const startedMs = performance.now();
    const span = readSpan({ span: name }, ZONE, Date.now());
    const facts = { ...(await readPresent(db, CONFIG)), ...(await readCounted(db, span)) };
    const overview = overviewOf(facts, span, {
      zone: ZONE,
      csrfToken: "",
      nowMs: Date.now(),
    });
    bytes = Buffer.byteLength(String(LiveOverview({ overview })));
    tookMs.push(performance.now() - startedMs);
    await Bun.sleep(5);
  }
  console.log(
    `${db.dialect.name} ${name.padEnd(3)}  median ${median(tookMs).toFixed(1)} ms  slowest ${Math.max(...tookMs).toFixed(1)} ms  longest hold of the process ${held().toFixed(1)} ms  page ${(bytes / 1024).toFixed(0)} kB`,
  );
}

/** A page of the outbox as the console asks for it, and the question that comes before a change of all of it. */
async function measureList(db: Database, name: string, filter: OutboxFilter): Promise<void> {
  const held = watchLoop();
  const startedMs = performance.now();
  const page = await listOutbox(db, filter, { limit: 50, budgetMs: 1_000 });
  const listedMs = performance.now();
  const total = await countReplay(db, "discard", { filter });
  const countedMs = performance.now();
  console.log(
    `${db.dialect.name} outbox ${name.padEnd(22)} ${page.items.length} events${page.next_cursor === null ? "" : ", more"} in ${(listedMs - startedMs).toFixed(1)} ms, counted ${total} in ${(countedMs - listedMs).toFixed(1)} ms, longest hold of the process ${held().toFixed(1)} ms`,
  );
}

async function timed(db: Database, what: string, work: () => Promise<unknown>): Promise<void> {
  const held = watchLoop();
  const startedMs = performance.now();
  await work();
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
  console.log(
    `${db.dialect.name} ${what}: ${seconds} s, longest hold of the process ${held().toFixed(1)} ms`,
  );
}

/** The longest time in which nothing else could run; call it to stop watching. */
function watchLoop(): () => number {
  let longestMs = 0;
  let lastMs = performance.now();
  const timer = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - lastMs - 1);
    lastMs = performance.now();
  }, 1);
  return () => {
    clearInterval(timer);
    return Math.max(longestMs, performance.now() - lastMs - 1);
  };
}

/** Prints how the database goes about the statements of a page over 30 days. */
async function explain(db: Database): Promise<void> {
  const explained = explaining(db);
  const span = readSpan({ span: "30d" }, ZONE, Date.now());
  await readPresent(explained, CONFIG);
  const [from, to] = [span.fromMs, span.toMs].map((ms) => db.dialect.instant(new Date(ms)));
  // As the query builder writes them.
  for (const dimension of ["pool", "campaign"]) {
    await explained.rows(
      sql`select key, sum(clicks) from funnel_hourly where dimension = ${dimension} and hour >= ${from} and hour < ${to} group by key`,
    );
  }
  await explained.rows(
    sql`select at, destination, sum(delivered) from delivery_rates where unit = 'hour' and at >= ${from} and at < ${to} group by at, destination`,
  );
}

runCommand(main);
