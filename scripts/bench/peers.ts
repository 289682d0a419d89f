import { join } from "node:path";
import { z } from "zod";
import { startTalker } from "./servers/child.ts";

const FOLDER = join(import.meta.dir, "peers");

/** The job queues that are measured beside the outbox. */
export const PEERS = ["graphile-worker", "pg-boss"] as const;
export type Peer = (typeof PEERS)[number];

/** Installs the peers where they are not yet; they are no part of the product. */
export async function installPeers(say: (line: string) => void): Promise<void> {
  if (await Bun.file(join(FOLDER, "node_modules/pg-boss/package.json")).exists()) return;
  say("installing the job queues to compare with");
  const install = Bun.spawn(["bun", "install", "--frozen-lockfile", "--silent"], {
    cwd: FOLDER,
    stdout: "ignore",
    stderr: "inherit",
  });
  if ((await install.exited) !== 0)
    throw new Error("the job queues could not be installed; see the lines above");
}

const resultSchema = z.object({ jobs: z.number(), ms: z.number() });

/** No-op jobs that a peer takes and completes in a second, out of a queue of its own on the given database. */
export async function drainPeer(peer: Peer, databaseUrl: string, jobs: number): Promise<number> {
  const child = startTalker(["bun", join(FOLDER, `${peer}.js`), databaseUrl, String(jobs)]);
  const result = resultSchema.parse(JSON.parse(await child.line()));
  await child.stop();
  return (result.jobs / result.ms) * 1_000;
}

/** The versions that are installed, for the report. */
export async function peerVersions(): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const peer of PEERS) {
    const manifest = Bun.file(join(FOLDER, "node_modules", peer, "package.json"));
    if (await manifest.exists())
      versions[peer] = z.object({ version: z.string() }).parse(await manifest.json()).version;
  }
  return versions;
}
