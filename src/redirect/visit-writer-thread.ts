/**
 * The thread that writes visits (see `visit-writer.ts`): has its own connection, reads `<id> <JSON of the visits>`,
 * answers when they are committed. One batch after the other.
 */
import { parentPort, workerData } from "node:worker_threads";
import type { Database } from "../db/database.ts";
import { type DatabaseSettings, openDatabase } from "../db/open.ts";
import { recordVisits } from "./record-visits.ts";
import type { VisitRecord } from "./visit-record.ts";
import { type Answer, failureOf } from "./visit-writer-messages.ts";

const settings: DatabaseSettings = workerData;
let opened: Database | undefined;
let last: Promise<unknown> = Promise.resolve();

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
    await db.recordArrivals((writer) => recordVisits(writer, db.tables, visits));
  } catch (error) {
    reply = { id, failure: failureOf(error) };
  }
  parentPort?.postMessage(reply);
}

async function database(): Promise<Database> {
  opened ??= await openDatabase(settings);
  return opened;
}

async function stop(): Promise<void> {
  await opened?.close();
  process.exit(0);
}
