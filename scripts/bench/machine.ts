import { cpus, release, totalmem, type } from "node:os";
import { version } from "../../package.json";
import type { Machine } from "./report.ts";
import { ROOT } from "./servers/child.ts";

/** The machine and what runs on it. */
export function describeMachine(further: Readonly<Record<string, string>>): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? "unknown",
    cores: all.length,
    memoryGiB: totalmem() / 2 ** 30,
    system: `${type()} ${release()}`,
    versions: { Ponte: version, Bun: Bun.version, ...further },
  };
}

/** The commit that is measured, and whether what is measured differs from it. */
export function commitOf(): string {
  const commit = git(["rev-parse", "--short", "HEAD"]);
  if (commit === "") return "unknown";
  const changed = git([
    "status",
    "--porcelain",
    "--",
    "src",
    "views",
    "drizzle",
    "package.json",
    "scripts/bench",
  ]);
  return changed === "" ? commit : `${commit} with changes`;
}

function git(args: readonly string[]): string {
  const { success, stdout } = Bun.spawnSync(["git", ...args], { cwd: ROOT, stderr: "ignore" });
  return success ? stdout.toString().trim() : "";
}
