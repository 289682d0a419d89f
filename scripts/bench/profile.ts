import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readFlags, runCommand, UsageError, wholeNumber } from "../lib/command.ts";
import { refusals } from "./cases/gate.ts";
import { cpuProfileSchema, renderSelfTimes, topSelfTimes } from "./cpu-profile.ts";
import { clicks, oneClick } from "./load/clicks.ts";
import { rate } from "./load/wrk.ts";
import { whatIsMissing } from "./needs.ts";
import { drainOutbox } from "./outbox-drain.ts";
import { figure } from "./report.ts";
import { seedPools } from "./seed.ts";
import { freshPostgres, freshSqlite, type Place, startCluster } from "./servers/databases.ts";
import { startPonte, startSandboxProcess } from "./servers/ponte.ts";
import { makeWorkFolder } from "./work-folder.ts";

const HELP = `Usage: bun scripts/bench/profile.ts [options]

Runs Ponte under load with Bun's CPU profiler and prints where its main thread's time goes, as Markdown. The thread
that writes visits and cookies is not seen by Bun's profiler.

  --drain             the outbox being drained instead of clicks being answered
  --gate              clicks that the gate refuses
  --postgres          on a temporary PostgreSQL instead of SQLite
  --connections N     clicks at a time (default 64)
  --seconds N         how long (default 5)
  --events N          events to drain (default 100000)
  --top N             how many functions (default 10)
  --keep FOLDER       where the profiles are kept, for a viewer (default: thrown away)
  --help              this text
`;

const FLAGS = {
  drain: { type: "boolean", default: false },
  gate: { type: "boolean", default: false },
  postgres: { type: "boolean", default: false },
  connections: { type: "string", default: "64" },
  seconds: { type: "string", default: "5" },
  events: { type: "string", default: "100000" },
  top: { type: "string", default: "10" },
  keep: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

async function main(): Promise<number> {
  const values = readFlags(process.argv.slice(2), FLAGS);
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const connections = wholeNumber("connections", values.connections);
  const seconds = wholeNumber("seconds", values.seconds);
  const events = wholeNumber("events", values.events);
  const top = wholeNumber("top", values.top);
  const missing = values.drain ? null : whatIsMissing(["wrk"]);
  if (missing !== null) throw new UsageError(missing);
  const work = makeWorkFolder("ponte-profile", null, true);
  const profiles = values.keep ?? join(work, "profiles");
  const cluster = values.postgres ? await startCluster(join(work, "postgres")) : undefined;
  try {
    const place = cluster
      ? await freshPostgres(work, await cluster.createDatabase())
      : await freshSqlite(work);
    await seedPools(place.db);
    const bunArguments = ["--cpu-prof", "--cpu-prof-dir", profiles];
    const told = values.drain
      ? await underDrain(place, events, bunArguments)
      : await underClicks(place, connections, seconds, {
          bunArguments,
          load: values.gate ? refusals : clicks,
        });
    await place.db.close();
    console.log(`${told}\n`);
    await printProfiles(profiles, top);
  } finally {
    await cluster?.stop();
    rmSync(work, { recursive: true, force: true });
  }
  return 0;
}

async function underClicks(
  place: Place,
  connections: number,
  seconds: number,
  { bunArguments, load }: { readonly bunArguments: readonly string[]; readonly load: typeof clicks },
) {
  const ponte = await startPonte({ ...place, bunArguments });
  await oneClick(ponte.url);
  const summary = await load(ponte.url, connections, seconds);
  await ponte.stop();
  return `Clicks, ${connections} connections, ${place.db.dialect.name}: ${figure(rate(summary))} a second while profiled.`;
}

async function underDrain(place: Place, events: number, bunArguments: readonly string[]) {
  const sandbox = await startSandboxProcess();
  const perSecond = await drainOutbox(place, sandbox.url, events, bunArguments);
  await sandbox.stop();
  return `Outbox, ${figure(events)} events, ${place.db.dialect.name}: ${figure(perSecond)} a second while profiled.`;
}

/** Bun profiles the main thread; where a version writes one for each thread, each is shown. */
async function printProfiles(folder: string, count: number): Promise<void> {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".cpuprofile"))
    .sort();
  if (files.length === 0) throw new Error("Bun wrote no profile");
  for (const [i, file] of files.entries()) {
    const profile = cpuProfileSchema.parse(await Bun.file(join(folder, file)).json());
    if (files.length > 1) console.log(`Thread ${i + 1} of ${files.length}:\n`);
    console.log(`${renderSelfTimes(topSelfTimes(profile, count))}\n`);
  }
}

runCommand(main);
