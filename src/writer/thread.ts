/**
 * The thread that writes (see `worker.ts`): has its own connections, reads batches as JSON text, and answers when they
 * are committed.
 */
import { parentPort, workerData } from "node:worker_threads";
import { recordCookies } from "../cookies/record-cookies.ts";
import type { Channel, Database } from "../db/database.ts";
import { type DatabaseSettings, openDatabase } from "../db/open.ts";
import { promptly } from "../db/promptly.ts";
import { recordVisits } from "../redirect/record-visits.ts";
import type { VisitRecord } from "../redirect/visit-record.ts";
import { type Answer, type Batch, failureOf, type Order } from "./messages.ts";

/**
 * A batch may take so long, and the next ones must not wait behind it any longer. Less than `ANSWER_MS`: who comes after
 * somebody was told to try again is written over new connections.
 */
const PATIENCE_MS = 2_500;

const settings: DatabaseSettings = workerData;
type Kind = Batch["kind"];
const opened = new Map<Kind, Promise<Database>>();
/** Resolves when every batch so far is answered. */
let answered: Promise<void> = Promise.resolve();

// Before the first visit needs it. What fails now is tried again for that visit's batch, which says so.
database("visits").catch(() => undefined);

parentPort?.on("message", (message: string) => {
  const order: Order = JSON.parse(message);
  if (order.kind === "stop") {
    void answered.then(stop);
    return;
  }
  const answering = answer(order.id, order);
  answered = answered.then(() => answering);
});

async function answer(id: number, batch: Batch): Promise<void> {
  let reply: Answer;
  try {
    const db = await database(batch.kind);
    reply = { id, wakes: await promptly(db, PATIENCE_MS, write(db, batch)) };
  } catch (error) {
    reply = { id, wakes: [], failure: failureOf(error) };
  }
  parentPort?.postMessage(reply);
}

/** Resolves to whom to wake. */
function write(db: Database, batch: Batch): Promise<readonly Channel[]> {
  switch (batch.kind) {
    case "visits":
      return batch.visits.length > 0 ? writeVisits(db, batch.visits) : askAnything(db);
    case "cookies":
      return db.transaction(async (tx) => ((await recordCookies(db, tx, batch.reports)) ? ["outbox"] : []));
  }
}

async function writeVisits(db: Database, visits: readonly VisitRecord[]): Promise<readonly Channel[]> {
  await db.recordArrivals((writer) => recordVisits(writer, db.tables, visits));
  return visits.some(({ pageView }) => pageView?.holdMs === 0) ? ["outbox"] : [];
}

/** No visits: whether this thread's connections are answered on. */
async function askAnything(db: Database): Promise<readonly Channel[]> {
  await db.select({ id: db.tables.pools.id }).from(db.tables.pools).limit(1);
  return [];
}

/**
 * A connection for each kind: on Postgres cookies may wait for somebody who has their visit's row locked, and visits
 * must not. On one connection batches follow one another without waiting for answers; on two they would wait for each
 * other all the same, for the counters' rows.
 */
function database(kind: Kind): Promise<Database> {
  const known = opened.get(kind);
  if (known) return known;
  const opening = openDatabase({ ...settings, maxConnections: 1 });
  opened.set(kind, opening);
  // The next batch tries again.
  opening.catch(() => opened.delete(kind));
  return opening;
}

async function stop(): Promise<void> {
  await Promise.all([...opened.values()].map(async (opening) => (await opening).close()));
  process.exit(0);
}
