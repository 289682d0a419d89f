import { Database as SqliteClient } from "bun:sqlite";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "../../src/db/open.ts";
import { createSecrets } from "../../src/platform/secrets.ts";
import { startSandbox } from "../../src/sandbox/app.ts";
import { addPool } from "../support/pools.ts";
import { clearFaults } from "../support/sandbox.ts";
import { type ServerOptions, startServer, type TestServer } from "../support/server.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { untilDrained } from "./drain.ts";
import { newLedger } from "./ledger.ts";
import { SLUG } from "./load.ts";
import { audit, type Findings } from "./oracle.ts";
import { GENERIC_SECRET } from "./provider.ts";

const APP_SECRET = new Uint8Array(32).fill(9);
const FIRST_PIXEL = 4_242_424_200;

export const API_KEY = "fault-suite-api-key-0123456789";

interface WorldOptions {
  /** Pools, each with a pixel of its own. */
  readonly pools?: number;
  /** Where the SQLite file lies; in a temporary folder where nothing is said. */
  readonly databaseFolder?: string;
  /** Where spool and secret lie, likewise. */
  readonly dataDir?: string;
}

/** An installation to be mistreated: a database, a sandbox as Meta, servers that come and go. */
export async function openWorld(dialect: "sqlite" | "postgres", { pools = 1, ...places }: WorldOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), "ponte-faults-"));
  const { databaseFolder = folder, dataDir = folder } = places;
  const cluster: Cluster | null = dialect === "postgres" ? await startCluster() : null;
  const url = cluster?.url ?? join(databaseFolder, "ponte.db");
  const sandbox = await startSandbox();
  const db = await openDatabase({ url });
  await db.migrate();
  const metaAccessToken = createSecrets(APP_SECRET).seal(
    "EAAfault-suite-token-0123456789",
    "pools.meta_access_token",
  );
  const pixels = new Map<string, string>();
  for (let i = 0; i < pools; i++) pixels.set(i === 0 ? SLUG : `${SLUG}-${i}`, String(FIRST_PIXEL + i));
  for (const [slug, metaPixelId] of pixels) await addPool(db, { slug, metaPixelId, metaAccessToken });
  const ledger = newLedger();
  const servers = new Set<TestServer>();

  /** Visits that wait on the servers' disk. */
  async function spooled(): Promise<number> {
    const path = join(dataDir, "spool.db");
    if (!existsSync(path)) return 0;
    const client = new SqliteClient(path, { readonly: true });
    try {
      const counted = client.query<{ n: number }, []>("select count(*) as n from spool where reason is null");
      return counted.get()?.n ?? 0;
    } finally {
      client.close();
    }
  }

  return {
    url,
    db,
    sandbox,
    cluster,
    ledger,
    slugs: [...pixels.keys()],
    spooled,
    /** A server of this installation; it finds the spool of the one before it. */
    async serve(environment: Readonly<Record<string, string>> = {}, options: ServerOptions = {}) {
      const server = await startServer(
        url,
        {
          APP_SECRET: Buffer.from(APP_SECRET).toString("base64"),
          META_GRAPH_URL: sandbox.url,
          TELEGRAM_API_URL: sandbox.url,
          GENERIC_WEBHOOK_SECRET: GENERIC_SECRET,
          API_KEY,
          PAGEVIEW_HOLD_MS: "500",
          ...environment,
        },
        { dataDir, ...options },
      );
      servers.add(server);
      return {
        ...server,
        kill: () => server.kill().finally(() => servers.delete(server)),
        stop: () => server.stop().finally(() => servers.delete(server)),
      };
    },
    /** Ends Meta's faults, lets everything be sent, and holds it against what was promised. */
    async settle(): Promise<Findings> {
      await clearFaults(sandbox, "meta");
      await untilDrained(db, spooled);
      return audit(ledger, sandbox, db, (slug) => pixels.get(slug) ?? "");
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
