import { Database as SqliteClient, type Statement } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { isDiskAtFault } from "../../platform/disk.ts";
import { localClock } from "../clock.ts";
import type { Channel, Database, Durability, Tx } from "../database.ts";
import { sqliteDialect } from "../dialect.ts";
import { adviceOn } from "../fault.ts";
import { createListeners } from "../listeners.ts";
import { createFairQueue } from "./fair-queue.ts";
import { migrateSqlite } from "./migrate.ts";
import { queries } from "./queries.ts";
import { createRowWriter } from "./rows.ts";
import * as tables from "./tables.ts";
import { isBusy, switchToWal } from "./wal.ts";

/** How long a write waits for another process (the CLI, a backup) that holds the file's write lock. */
const BUSY_DEADLINE_MS = 5_000;

/**
 * Opens (and creates) a SQLite file: WAL, `synchronous=FULL` (what is acknowledged is on disk), one writer
 * connection whose transactions take turns, and one reader connection.
 */
export function openSqlite(path: string): Database {
  mkdirSync(dirname(path), { recursive: true });
  const writer = openWriter(path);
  const readerClient = openReader(path);
  const listeners = createListeners();
  const inTurn = createFairQueue();
  const woken = new Set<Channel>();
  const rowWriter = createRowWriter(writer);
  const writing = queries(writer);
  const reading = queries(readerClient);
  const begin = writer.prepare("begin immediate");
  const commit = writer.prepare("commit");
  let current: Durability = "full";

  const tx: Tx = {
    ...writing.reader,
    insert: writing.builder.insert.bind(writing.builder),
    update: writing.builder.update.bind(writing.builder),
    delete: writing.builder.delete.bind(writing.builder),
    insertMany: async (table, key, rows) => rowWriter.insert(table, key, rows),
    insertSplit: async (table, rows) => rowWriter.insertSplit(table, rows),
    updateMany: async (table, keys, rows) => rowWriter.update(table, keys, rows),
    insertArrivals: async (arrivals) => {
      rowWriter.arrive(arrivals);
      if (arrivals.wakes) woken.add(arrivals.wakes);
    },
    notify: async (channel) => {
      woken.add(channel);
    },
    nowMs: localClock.nowMs,
  };

  async function transaction<T>(work: (tx: Tx) => Promise<T>, durability: Durability = "full"): Promise<T> {
    // What need not be on disk at once, leases and outcomes, can wait for visitors, too.
    return inTurn(
      () => {
        makeDurable(durability);
        return inTransaction(work);
      },
      durability === "relaxed" ? "whenever" : "here",
    );
  }

  /** Only between transactions; the writer's thread has connections, and a setting, of its own. */
  function makeDurable(durability: Durability): void {
    if (durability === current) return;
    writer.run(`pragma synchronous = ${durability === "full" ? "full" : "normal"}`);
    current = durability;
  }

  async function inTransaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    await beginImmediate(begin);
    woken.clear();
    let result: T;
    try {
      result = await work(tx);
      commit.run();
    } catch (error) {
      if (writer.inTransaction) writer.run("rollback");
      throw error;
    }
    for (const channel of woken) listeners.wake(channel);
    return result;
  }

  return {
    ...reading.reader,
    dialect: sqliteDialect,
    tables,
    transaction,
    arrivalsAtOnce: 1,
    recordArrivals: (work) => transaction(work),
    async writeElsewhere(write) {
      for (const channel of await inTurn(write, "elsewhere")) listeners.wake(channel);
    },
    listen: listeners.add,
    // There is no network in between that could lose an answer.
    renewConnections: () => undefined,
    advice: (error) => adviceOn(error, { user: "", tables }),
    migrate: () =>
      inTurn(async () => {
        makeDurable("full");
        migrateSqlite(writer);
      }, "here"),
    async close() {
      // After whatever was asked for, also what can wait.
      await inTurn(async () => undefined, "whenever");
      return inTurn(async () => {
        rowWriter.close();
        writing.close();
        begin.finalize();
        commit.finalize();
        reading.close();
        readerClient.close();
        truncateLog(writer);
        writer.close();
      }, "here");
    },
  };
}

function openWriter(path: string): SqliteClient {
  const client = new SqliteClient(path, { create: true, strict: true });
  switchToWal(client);
  client.run("pragma synchronous = full");
  client.run("pragma foreign_keys = on");
  // What is overwritten or deleted is zeroed in its page, where that costs no further write: erased is erased.
  client.run("pragma secure_delete = fast");
  // Waiting inside SQLite would block every request of this process; `beginImmediate` waits outside.
  client.run("pragma busy_timeout = 0");
  return client;
}

function openReader(path: string): SqliteClient {
  const client = new SqliteClient(path, { strict: true });
  client.run("pragma query_only = on");
  client.run("pragma busy_timeout = 1000");
  return client;
}

/** Leaves one tidy file behind, unless another process reads or the disk has no room: then all stays in the log, and safe. */
function truncateLog(writer: SqliteClient): void {
  try {
    writer.run("pragma wal_checkpoint(truncate)");
  } catch (error) {
    if (!isDiskAtFault(error)) throw error;
  }
}

/** Runs `begin immediate`, waiting without blocking the process while somebody else writes. */
async function beginImmediate(begin: Statement): Promise<void> {
  const deadline = performance.now() + BUSY_DEADLINE_MS;
  for (;;) {
    try {
      begin.run();
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      await Bun.sleep(2 + Math.random() * 10);
    }
  }
}
