/**
 * The thread that writes visits (see `visit-writer.ts`): has its own connection, reads `<id> <JSON of the visits>`,
 * answers when they are committed.
 */
import { parentPort, workerData } from "node:worker_threads";
import type { Database } from "../db/database.ts";
import { type DatabaseSettings, openDatabase } from "../db/open.ts";
import { promptly } from "../db/promptly.ts";
import { recordVisits } from "./record-visits.ts";
import type { VisitRecord } from "./visit-record.ts";
import { type Answer, failureOf } from "./visit-writer-messages.ts";

/** After this nobody waits for a batch any more, and the next ones must not wait behind it. Milliseconds. */
const PATIENCE_MS = 5_000;

const settings: DatabaseSettings = workerData;
let opened: Promise<Database> | undefined;
/** Resolves when every batch so far is answered. */
let answered: Promise<void> = Promise.resolve();

parentPort?.on("message", (message: string) => {
  if (message === "stop") {
    void answered.then(stop);
    return;
  }
  const answering = answer(message);
  answered = answered.then(() => answering);
});

async function answer(message: string): Promise<void> {
  const space = message.indexOf(" ");
  const id = Number(message.slice(0, space));
  let reply: Answer = { id };
  try {
    const visits: VisitRecord[] = JSON.parse(message.slice(space));
    const db = await database();
    await promptly(db, PATIENCE_MS, visits.length > 0 ? write(db, visits) : askAnything(db));
  } catch (error) {
    reply = { id, failure: failureOf(error) };
  }
  parentPort?.postMessage(reply);
}

function write(db: Database, visits: readonly VisitRecord[]): Promise<void> {
  return db.recordArrivals((writer) => recordVisits(writer, db.tables, visits));
}

/** No visits: whether this thread's connections are answered on. */
async function askAnything(db: Database): Promise<void> {
  await db.select({ id: db.tables.pools.id }).from(db.tables.pools).limit(1);
}

function database(): Promise<Database> {
  // On one connection batches follow one another without waiting for answers; on two they would wait for each other
  // all the same, for the counters' rows.
  opened ??= openDatabase({ ...settings, maxConnections: 1 }).catch((error) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

async function stop(): Promise<void> {
  const db = await opened;
  await db?.close();
  process.exit(0);
}
