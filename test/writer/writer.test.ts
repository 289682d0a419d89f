import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { isRowFault } from "../../src/db/fault.ts";
import { createLog } from "../../src/platform/log.ts";
import type { VisitRecord } from "../../src/redirect/visit-record.ts";
import { openWriter, type Writer } from "../../src/writer/writer.ts";
import { createWriterThread } from "../../src/writer/writer-thread.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { until } from "../support/until.ts";
import { visitsOf } from "../support/visits.ts";

const log = createLog("silent");

let own: TestDatabase;
let writer: Writer;
let visit: (query?: string) => VisitRecord;

beforeEach(async () => {
  own = await createTestDatabase();
  visit = visitsOf(await addPool(own.db, { slug: "open" }));
  writer = openWriter(own.db, { url: own.url }, log);
  await writer.start();
});
afterEach(async () => {
  await writer.stop();
  await own.dispose();
});

const sessions = () => own.db.$count(own.db.tables.sessions);

describe(`the writer on ${testDialect}`, () => {
  test("what it says is written can be read", async () => {
    await writer.visits.write([visit(), visit(), visit()]);
    expect(await sessions()).toBe(3);
    expect(await own.db.$count(own.db.tables.outbox)).toBe(3);
  });

  test("writes of both threads at once all go in", async () => {
    const { settings } = own.db.tables;
    const here = Array.from({ length: 20 }, (_, i) =>
      own.db.transaction((tx) =>
        tx.insert(settings).values({ key: `k${i}`, value: "v", updatedAt: new Date() }),
      ),
    );
    await Promise.all([...Array.from({ length: 20 }, () => writer.visits.write([visit()])), ...here]);
    expect(await sessions()).toBe(20);
    expect(await own.db.$count(settings)).toBeGreaterThanOrEqual(20);
  });

  test("a row that can never be written is told apart from a database that is away, and nothing of the batch is kept", async () => {
    // Through JSON, because no code of ours makes such a visit.
    const poisoned = JSON.parse(JSON.stringify({ ...visit(), trackingToken: null }));
    const failure = await writer.visits.write([visit(), poisoned]).catch((error) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(isRowFault(failure)).toBe(true);
    expect(await sessions()).toBe(0);
    await writer.visits.write([visit()]);
    expect(await sessions()).toBe(1);
  });

  test("an event that may leave at once wakes the dispatcher of this thread", async () => {
    const seen: number[] = [];
    const stop = own.db.listen("outbox", async () => void seen.push(await sessions()));
    await writer.visits.write([visit()]);
    await until(() => seen.includes(1));
    expect(seen.at(-1)).toBe(1);
    stop();
  });

  test("cookies are written, and what they release wakes the dispatcher of this thread", async () => {
    const { trackingToken } = visit();
    await writer.visits.write([{ ...visit(), trackingToken }]);
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = own.db.listen("outbox", resolve);
    await writer.cookies.write([{ trackingToken, report: { fbi: "203.0.113.9.AQ" } }]);
    await promise;
    stop();
    const [session] = await own.db.select().from(own.db.tables.sessions);
    expect(session).toMatchObject({ trackingToken, fbi: "203.0.113.9.AQ" });
  });

  test("before it has started, and after a stop, what it is given is written all the same", async () => {
    const unstarted = openWriter(own.db, { url: own.url }, log);
    await unstarted.visits.write([visit(), visit()]);
    await unstarted.stop();
    expect(await sessions()).toBe(2);
  });

  test("while it starts nothing is lost, whoever writes, and nothing is written twice", async () => {
    const starting = openWriter(own.db, { url: own.url }, log);
    const started = starting.start();
    let isUp = false;
    void started.then(() => {
      isUp = true;
    });
    let written = 0;
    while (!isUp || written < 20) {
      await starting.visits.write([visit()]);
      written++;
      // As between two requests.
      await Bun.sleep(0);
    }
    await starting.stop();
    expect(await sessions()).toBe(written);
  });

  test("stopped while it starts, it ends", async () => {
    const starting = openWriter(own.db, { url: own.url }, log);
    const started = starting.start();
    await starting.stop();
    await expect(started).resolves.toBeUndefined();
    expect(await sessions()).toBe(0);
  });
});

describe.if(testDialect === "sqlite")("the writer's thread", () => {
  test("one that ends by itself fails what it was given, and comes back", async () => {
    const heard: string[] = [];
    const thread = createWriterThread(
      { url: own.url },
      { onUp: () => heard.push("up"), onEnd: (error) => heard.push(error.message) },
    );
    await thread.start();
    // Through JSON, because no code of ours gives it such a batch.
    const fatal = JSON.parse('{"kind":"stop"}');
    await expect(thread.write(fatal)).rejects.toThrow("the writer ended");
    expect(thread.isUp()).toBe(false);
    await expect(thread.write({ kind: "visits", visits: [visit()] })).rejects.toThrow("the writer ended");
    await until(() => thread.isUp());
    await thread.write({ kind: "visits", visits: [visit()] });
    expect(await sessions()).toBe(1);
    await thread.stop();
    expect(heard).toEqual(["up", "the writer ended", "up"]);
  });

  test("one that cannot open its database says so, and stops all the same", async () => {
    const { promise, resolve } = Promise.withResolvers<Error>();
    const thread = createWriterThread(
      { url: "/dev/null/none.db" },
      { onUp: () => undefined, onEnd: resolve },
    );
    void thread.start();
    expect((await promise).message).toBe("the writer failed");
    expect(thread.isUp()).toBe(false);
    await thread.stop();
  });
});
