import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "bun";
import { freePort } from "../../scripts/lib/free-port.ts";

const isRoot = process.getuid?.() === 0;

/** PostgreSQL refuses root. */
function command(program: string, ...args: string[]): string[] {
  const path = join(process.env.POSTGRES_BIN ?? "/usr/lib/postgresql/15/bin", program);
  return isRoot ? ["runuser", "-u", "postgres", "--", path, ...args] : [path, ...args];
}

/** A PostgreSQL cluster of the test's own, with its durability on: what it acknowledged must survive `crash`. */
export async function startCluster() {
  const folder = mkdtempSync(join(tmpdir(), "ponte-cluster-"));
  chmodSync(folder, 0o755);
  if (isRoot) await $`chown postgres ${folder}`.quiet();
  const data = join(folder, "data");
  const port = freePort();
  await $`${command("initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8")}`.quiet();
  const options = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c max_connections=100`;
  const control = (...args: string[]) =>
    $`${command("pg_ctl", "-D", data, "-l", join(folder, "log"), "-w", ...args)}`.quiet();
  const start = () => control("-o", options, "start");
  /** The postmaster, and what it has forked; the postmaster first, so that it forks nobody while they are told. */
  function processes(): number[] {
    const postmaster = Number(readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0]);
    const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, "utf8");
    return [postmaster, ...children.trim().split(" ").map(Number)];
  }
  const signal = (name: "SIGSTOP" | "SIGCONT") => {
    const [postmaster, ...children] = processes();
    if (postmaster) process.kill(postmaster, name);
    for (const pid of name === "SIGSTOP" ? processes().slice(1) : children) {
      try {
        process.kill(pid, name);
      } catch {
        // A child that ended of its own accord meanwhile.
      }
    }
  };
  await start();
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    start,
    /** Every process of it dies at once, as in a power cut; what is on the disk stays. */
    crash: () => control("-m", "immediate", "stop"),
    /** It takes connections and bytes, and answers nothing, until it is thawed. */
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
    async remove() {
      await control("-m", "immediate", "stop").nothrow();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type Cluster = Awaited<ReturnType<typeof startCluster>>;
