import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import type { Database } from "../../src/db/database.ts";
import { createDispatcher } from "../../src/outbox/dispatcher.ts";
import type { OnSettled } from "../../src/outbox/record-request.ts";
import { createLog } from "../../src/platform/log.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addRows, statusCounts } from "../support/outbox.ts";

let own: TestDatabase;
beforeEach(async () => {
  own = await createTestDatabase();
});
afterEach(() => own.dispose());

/**
 * Sends one message; after it was taken the database is away for so many transactions, or commits them without telling.
 * Answers what was made of its end.
 */
async function deliverOne({
  awayFor = 0,
  silentFor = 0,
  onSettled,
}: {
  awayFor?: number;
  silentFor?: number;
  onSettled: OnSettled;
}) {
  await addRows(own.db, 1, { destination: "telegram", route: "1", eventName: "delivery" });
  let away = 0;
  let silent = 0;
  const flaky: Database = {
    ...own.db,
    async transaction(work, durability) {
      if (away-- > 0) throw new Error("the database is restarting");
      const done = await own.db.transaction(work, durability);
      if (silent-- > 0) throw new Error("the connection broke after the commit");
      return done;
    },
  };
  const answer = { status: 200, code: null, subcode: null, fbtraceId: null, durationMs: 1, response: "{}" };
  const dispatcher = createDispatcher({
    db: flaky,
    log: createLog("silent"),
    onSettled,
    adapters: {
      telegram: {
        maxBatch: 1,
        isExpired: () => false,
        async send() {
          away = awayFor;
          silent = silentFor;
          return { verdict: { kind: "delivered", note: null, pauseMs: null }, answer };
        },
      },
    },
  });
  using sleep = spyOn(Bun, "sleep").mockImplementation(() => Promise.resolve());
  await dispatcher.drain();
  await dispatcher.stop();
  return sleep.mock.calls.length;
}

describe(`what follows from a row's end on ${testDialect}`, () => {
  test("a database that was away until the last try loses nothing of it", async () => {
    const ended: string[] = [];
    const tries = await deliverOne({
      awayFor: 7,
      onSettled: async (_, rows, { kind }) =>
        void ended.push(...rows.map(({ eventName }) => `${eventName} ${kind}`)),
    });
    expect(tries).toBe(7);
    expect(ended).toEqual(["delivery delivered"]);
    expect(await statusCounts(own.db)).toEqual({ delivered: 1 });
  });

  test("a commit whose answer is lost is not made up for: request and end are there once", async () => {
    let asked = 0;
    const tries = await deliverOne({ silentFor: 1, onSettled: async () => void asked++ });
    expect(tries).toBe(1);
    expect(asked).toBe(1);
    expect(await statusCounts(own.db)).toEqual({ delivered: 1 });
    const { outboxAttempts } = own.db.tables;
    expect(await own.db.select().from(outboxAttempts)).toMatchObject([{ outcome: "delivered", events: 1 }]);
  });

  test("where it is what fails, the row comes to its end without it, and is not sent again", async () => {
    let asked = 0;
    await deliverOne({
      onSettled: async () => {
        asked++;
        throw new TypeError("a bug");
      },
    });
    expect(asked).toBe(7);
    expect(await statusCounts(own.db)).toEqual({ delivered: 1 });
  });
});
