/**
 * The thread that writes visits (see `visit-thread.ts`): has its own connection, reads `<id> <JSON of the visits>`,
 * answers when they are committed. One batch after the other.
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
let opened: Database | undefined;
let last: Promise<unknown> = Promise.resolve();

// Before the first batch needs it. What fails now is tried again for that batch, which says so.
database().catch(() => undefined);

parentPort?.on("message", (message: string) => {
  last = last.then(() => (message === "stop" ? stop() : answer(message)));
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

async function database(): Promise<Database> {
  opened ??= await openDatabase(settings);
  return opened;
}

async function stop(): Promise<void> {
  await opened?.close();
  process.exit(0);
}
