import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "../../src/db/open.ts";
import { createSecrets } from "../../src/platform/secrets.ts";
import { startSandbox } from "../../src/sandbox/app.ts";
import { addPool } from "../support/pools.ts";
import { type ServerOptions, startServer, type TestServer } from "../support/server.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { GENERIC_SECRET, newLedger, SLUG } from "./load.ts";
import { audit, type Findings, untilDrained } from "./oracle.ts";

const APP_SECRET = new Uint8Array(32).fill(9);
export const PIXEL = "4242424242";

/** An installation to be mistreated: a database, a sandbox as Meta, servers that come and go. */
export async function openWorld(dialect: "sqlite" | "postgres") {
  const folder = mkdtempSync(join(tmpdir(), "ponte-faults-"));
  const cluster: Cluster | null = dialect === "postgres" ? await startCluster() : null;
  const url = cluster?.url ?? join(folder, "ponte.db");
  const sandbox = await startSandbox();
  const db = await openDatabase({ url });
  await db.migrate();
  await addPool(db, {
    slug: SLUG,
    metaPixelId: PIXEL,
    metaAccessToken: createSecrets(APP_SECRET).seal(
      "EAAfault-suite-token-0123456789",
      "pools.meta_access_token",
    ),
  });
  const ledger = newLedger();
  const servers = new Set<TestServer>();

  return {
    url,
    db,
    sandbox,
    cluster,
    ledger,
    /** A server of this installation; it finds the spool of the one before it. */
    async serve(environment: Readonly<Record<string, string>> = {}, options: ServerOptions = {}) {
      const server = await startServer(
        url,
        {
          APP_SECRET: Buffer.from(APP_SECRET).toString("base64"),
          META_GRAPH_URL: sandbox.url,
          TELEGRAM_API_URL: sandbox.url,
          GENERIC_WEBHOOK_SECRET: GENERIC_SECRET,
          PAGEVIEW_HOLD_MS: "500",
          ...environment,
        },
        { dataDir: folder, ...options },
      );
      servers.add(server);
      return {
        ...server,
        kill: () => server.kill().finally(() => servers.delete(server)),
        stop: () => server.stop().finally(() => servers.delete(server)),
      };
    },
    /** Ends the faults, lets everything be sent, and holds it against what was promised. */
    async settle(): Promise<Findings> {
      await fetch(`${sandbox.url}/faults`, { method: "DELETE" });
      await untilDrained(db);
      return audit(ledger, sandbox);
    },
    /** Arms the stand-in for Meta with every transient fault there is, each at its own rate. */
    async troubleMeta(seed: number): Promise<void> {
      const faults = [
        { mode: "500", rate: 0.1 },
        { mode: "500", rate: 0.05, after: true },
        { mode: "429", rate: 0.05, retry_after: 1 },
        { mode: "reset", rate: 0.1 },
        { mode: "reset", rate: 0.05, after: true },
        { mode: "garbage", rate: 0.05 },
        { mode: "latency", rate: 0.1, ms: 300 },
      ];
      for (const [i, fault] of faults.entries()) {
        const body = JSON.stringify({ ...fault, seed: seed + i });
        const headers = { "content-type": "application/json" };
        const armed = await fetch(`${sandbox.url}/faults`, { method: "POST", headers, body });
        if (!armed.ok) throw new Error(`the sandbox takes no such fault: ${await armed.text()}`);
      }
    },
    async close() {
      for (const server of servers) await server.kill();
      await db.close().catch(() => undefined);
      await sandbox.stop();
      await cluster?.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type World = Awaited<ReturnType<typeof openWorld>>;
