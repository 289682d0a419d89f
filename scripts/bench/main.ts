import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errorText } from "../../src/platform/errors.ts";
import { runCommand, UsageError } from "../lib/command.ts";
import type { Bench, BenchCase } from "./case.ts";
import { CASES } from "./cases.ts";
import { renderChart } from "./chart.ts";
import { commitOf, describeMachine } from "./machine.ts";
import { whatIsMissing } from "./needs.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { peerVersions } from "./peers.ts";
import {
  type Entry,
  entryOf,
  type Report,
  renderReport,
  renderTable,
  reportSchema,
  withEntries,
} from "./report.ts";
import { killChildren, ROOT } from "./servers/child.ts";
import { type Cluster, startCluster } from "./servers/databases.ts";
import { makeWorkFolder } from "./work-folder.ts";

const NAMES = CASES.map(({ name }) => name);

function say(line: string): void {
  console.error(`· ${line}`);
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), NAMES);
  if (options.help) {
    const list = CASES.map(({ name, title }) => `  ${name.padEnd(18)} ${title.replaceAll("`", "")}`);
    console.log(`${HELP}\nCases:\n${list.join("\n")}`);
    return 0;
  }
  const chosen = CASES.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
  for (const { needs } of chosen) {
    const missing = whatIsMissing(needs);
    if (missing !== null) throw new UsageError(missing);
  }
  const work = makeWorkFolder("ponte-bench", options.workFolder, options.smoke);
  process.once("SIGINT", () => killChildren());
  try {
    return await runAll(chosen, options, work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function runAll(chosen: readonly BenchCase[], options: Options, work: string): Promise<number> {
  const commit = commitOf();
  const { cpu } = describeMachine({});
  const entries: Entry[] = [];
  const failures: string[] = [];
  let cluster: Cluster | undefined;
  const versions: Record<string, string> = {};
  try {
    for (const one of chosen) {
      say(`${one.name}: ${one.title.replaceAll("`", "")}`);
      const folder = join(work, one.name);
      mkdirSync(folder);
      const bench: Bench = {
        effort: options.effort,
        folder,
        say: (line) => say(`  ${line}`),
        async postgres() {
          cluster ??= await startCluster(join(work, "postgres"));
          Object.assign(versions, cluster.versions);
          return cluster.createDatabase();
        },
      };
      try {
        const figures = await one.run(bench);
        entries.push(entryOf(one, figures, { at: new Date(), commit, cpu }));
      } catch (error) {
        failures.push(`${one.name}: ${errorText(error)}`);
        say(`  failed: ${failures.at(-1)}`);
      }
      rmSync(folder, { recursive: true, force: true });
    }
  } finally {
    await cluster?.stop();
  }
  if (chosen.some(({ needs }) => needs.includes("peers"))) Object.assign(versions, await peerVersions());
  await publish(entries, versions, options);
  for (const failure of failures) console.error(`✗ ${failure}`);
  return failures.length === 0 ? 0 : 1;
}

async function publish(
  entries: readonly Entry[],
  versions: Record<string, string>,
  options: Options,
): Promise<void> {
  console.log(renderTable(entries));
  for (const { name, beside } of entries) {
    for (const { name: what, figure } of beside) console.log(`${name}: ${what}: ${figure}`);
  }
  const report: Report = { machine: describeMachine(versions), entries: [...entries] };
  // The smoke form goes through the report, too, and throws it away.
  const pages = renderReport(report) + entries.map(renderChart).join("");
  if (options.reportFolder === null || pages === "") return;
  await writeReport(join(ROOT, options.reportFolder), report);
}

async function writeReport(folder: string, fresh: Report): Promise<void> {
  const json = Bun.file(join(folder, "benchmarks.json"));
  const old = (await json.exists()) ? reportSchema.parse(await json.json()) : null;
  const report: Report = {
    machine: {
      ...fresh.machine,
      versions: { ...old?.machine.versions, ...fresh.machine.versions },
    },
    entries: withEntries(old?.entries ?? [], fresh.entries, NAMES),
  };
  await Bun.write(json, `${JSON.stringify(report, null, 2)}\n`);
  await Bun.write(join(folder, "benchmarks.md"), renderReport(report));
  for (const entry of report.entries) {
    await Bun.write(join(folder, "images", `bench-${entry.name}.svg`), renderChart(entry));
  }
  say(`the report is in ${join(folder, "benchmarks.md")}`);
}

runCommand(main);
