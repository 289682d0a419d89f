import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { openSpool } from "../../src/db/spool/spool.ts";
import { enqueue } from "../../src/outbox/enqueue.ts";
import { formatRoute } from "../../src/outbox/routes.ts";
import { createLog } from "../../src/platform/log.ts";
import { createVisitRecorder } from "../../src/redirect/visit-recorder.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { pageView } from "../support/outbox.ts";
import { addPool } from "../support/pools.ts";
import { visitsOf, writerOn } from "../support/visits.ts";

let own: TestDatabase;
beforeEach(async () => {
  own = await createTestDatabase();
});
afterEach(() => own.dispose());

function report(eventId: string) {
  const payload = pageView(eventId);
  const entry = { destination: "meta" as const, route: formatRoute("1", null), eventName: "PageView" };
  return own.db.transaction((tx) => enqueue(tx, own.db.tables, [{ ...entry, eventId, payload }]));
}

/** As after a fail-over to a replica that never got the sequences, or a copy made without them. */
async function fallBehind(table: string): Promise<string> {
  await own.db.rows(sql.raw(`select setval(pg_get_serial_sequence('${table}', 'id'), 1, false)`));
  return `SELECT setval(pg_get_serial_sequence('${table}', 'id'), (SELECT max(id) FROM ${table}));`;
}

describe.skipIf(testDialect === "sqlite")("a table whose numbers are behind its rows", () => {
  test("takes no new event for one that is there, and says what to run", async () => {
    expect(await report("first")).toEqual([true]);
    const todo = await fallBehind("outbox_events");
    const refused = await report("second").catch((error: unknown) => error);
    expect(own.db.advice(refused)).toContain(todo);
    await own.db.rows(sql.raw(todo));
    expect(await report("second")).toEqual([true]);
    expect(await report("first")).toEqual([false]);
  });

  test("loses no visit: they wait in the spool, and come in once it has caught up", async () => {
    const visit = visitsOf(await addPool(own.db, { slug: "open" }));
    const spool = openSpool(":memory:");
    const deps = { db: own.db, writer: writerOn(own.db), spool, log: createLog("silent") };
    const recorder = createVisitRecorder(deps);
    for (let i = 0; i < 9; i++) expect(await recorder.record(visit())).toBe("committed");
    await fallBehind("outbox_events");
    expect(await recorder.record(visit())).toBe("spooled");
    while (spool.counts().waiting > 0) await recorder.replay().catch(() => 0);
    expect(spool.counts()).toEqual({ waiting: 0, setAside: 0 });
    expect(await own.db.$count(own.db.tables.outbox)).toBe(10);
    await recorder.close();
    spool.close();
  });
});
