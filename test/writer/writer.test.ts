import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { isRowFault } from "../../src/db/fault.ts";
import { createWriterThread } from "../../src/writer/worker.ts";
import { openWriter, type Writer } from "../../src/writer/writer.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { visitOf } from "../support/visits.ts";

let own: TestDatabase;
let writer: Writer;
let visit: (query?: string) => ReturnType<typeof visitOf>;

beforeEach(async () => {
  own = await createTestDatabase();
  const { pool, bots } = await addPool(own.db, { slug: "open" });
  const [member] = await own.db.select().from(own.db.tables.poolBots);
  visit = (query) => visitOf(pool.id, member?.id ?? 0, bots[0]?.id ?? 0, query);
  writer = openWriter(own.db, createWriterThread({ url: own.url }));
});
afterEach(async () => {
  await writer.stop();
  await own.dispose();
});

const sessions = () => own.db.$count(own.db.tables.sessions);

describe(`the writer's thread on ${testDialect}`, () => {
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
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = own.db.listen("outbox", resolve);
    await writer.visits.write([visit()]);
    await promise;
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

  test("after a stop the next write starts a new thread", async () => {
    await writer.visits.write([visit()]);
    await writer.stop();
    await writer.visits.write([visit()]);
    expect(await sessions()).toBe(2);
  });
});
