/**
 * The thread that writes (see `writer-thread.ts`): has a connection of its own, reads batches as JSON text, one after the
 * other, and answers when they are committed. Where it cannot open the database it ends.
 */
import { parentPort, workerData } from "node:worker_threads";
import type { Database } from "../db/database.ts";
import { type DatabaseSettings, openDatabase } from "../db/open.ts";
import { type Answer, failureOf, type Order } from "./messages.ts";
import { type Batch, writeBatch } from "./write-batch.ts";

const settings: DatabaseSettings = workerData;

function takeOrders(db: Database): void {
  let hasNews = false;
  db.listen("outbox", () => {
    hasNews = true;
  });

  async function answer(id: number, batch: Batch): Promise<void> {
    hasNews = false;
    try {
      await writeBatch(db, batch);
      say({ kind: "done", id, wakes: hasNews ? ["outbox"] : [] });
    } catch (error) {
      say({ kind: "failed", id, failure: failureOf(error) });
    }
  }

  parentPort?.on("message", (message: string) => {
    const order: Order = JSON.parse(message);
    void (order.kind === "stop" ? stop(db) : answer(order.id, order));
  });
  say({ kind: "up" });
}

function say(answer: Answer): void {
  parentPort?.postMessage(answer);
}

async function stop(db: Database): Promise<void> {
  await db.close();
  process.exit(0);
}

// An error ends the thread, and the other one hears of it.
void openDatabase(settings).then(takeOrders);
