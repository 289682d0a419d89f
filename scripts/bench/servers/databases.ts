import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import postgres from "postgres";
import type { Database, RawNumber } from "../../../src/db/database.ts";
import { openDatabase } from "../../../src/db/open.ts";
import { newId } from "../../../src/platform/ids.ts";
import { startTalker } from "./child.ts";

/** A fresh, migrated database with a data folder beside it. */
export interface Place {
  readonly databaseUrl: string;
  readonly dataDir: string;
  readonly db: Database;
}

/** A SQLite file in a folder of its own. */
export async function freshSqlite(folder: string, name = "sqlite"): Promise<Place> {
  const dataDir = join(folder, name);
  mkdirSync(dataDir, { recursive: true });
  return migrated(join(dataDir, "ponte.db"), dataDir);
}

/** The database of a Postgres URL; Ponte keeps its spool in a folder of the case's. */
export async function freshPostgres(folder: string, databaseUrl: string): Promise<Place> {
  const dataDir = join(folder, "postgres-spool");
  mkdirSync(dataDir, { recursive: true });
  return migrated(databaseUrl, dataDir);
}

async function migrated(databaseUrl: string, dataDir: string): Promise<Place> {
  const db = await openDatabase({ url: databaseUrl });
  await db.migrate();
  return { databaseUrl, dataDir, db };
}

/** A temporary Postgres server, durable as it comes. */
export interface Cluster {
  /** Makes an empty database. */
  createDatabase(): Promise<string>;
  /** What it is, for the report: `{ PostgreSQL: "15.14" }`. */
  readonly versions: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts a cluster whose files lie in the folder, which must not be private to this user. */
export async function startCluster(folder: string): Promise<Cluster> {
  const child = startTalker(["bash", join(import.meta.dir, "postgres.sh"), folder]);
  const url = await child.line();
  const admin = postgres(url, { max: 1, onnotice: () => undefined });
  const [row] = await admin<
    { version: string }[]
  >`select split_part(current_setting('server_version'), ' ', 1) as version`;
  return {
    versions: { PostgreSQL: row?.version ?? "unknown" },
    async createDatabase() {
      const name = `bench_${newId()}`;
      await admin.unsafe(`create database ${name}`);
      const own = new URL(url);
      own.pathname = `/${name}`;
      return own.href;
    },
    async stop() {
      await admin.end();
      await child.stop();
    },
  };
}

/** How many visits and events were written after the given numbers. */
export async function rowsAfter(
  { db }: Place,
  after: { readonly sessions: number; readonly events: number },
): Promise<{ sessions: number; events: number }> {
  const [row] = await db.rows<{ sessions: RawNumber; events: RawNumber }>(sql`
    select (select count(*) from meta_tracking_sessions where id > ${after.sessions}) as sessions,
           (select count(*) from outbox_progress where id > ${after.events}) as events`);
  return { sessions: Number(row?.sessions), events: Number(row?.events) };
}

/** The highest numbers given out so far. */
export async function lastIds({ db }: Place): Promise<{ sessions: number; events: number }> {
  const [row] = await db.rows<{ sessions: RawNumber; events: RawNumber }>(sql`
    select coalesce((select max(id) from meta_tracking_sessions), 0) as sessions,
           coalesce((select max(id) from outbox_progress), 0) as events`);
  return { sessions: Number(row?.sessions), events: Number(row?.events) };
}
