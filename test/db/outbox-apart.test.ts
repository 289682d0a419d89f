import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inArray, sql } from "drizzle-orm";
import postgres from "postgres";
import type { Database } from "../../src/db/database.ts";
import { outboxTable } from "../../src/outbox/enqueue.ts";
import { ponte } from "../cli/ponte.ts";
import { createTestDatabase, testDialect } from "../support/database.ts";
import { migrateUntil } from "../support/migrate-until.ts";
import { addRows, type NewRow, pageView } from "../support/outbox.ts";
import { until } from "../support/until.ts";

const TAG = "outbox_apart";
const STATUSES = ["pending", "sending", "delivered", "dead", "expired", "discarded"];

const folder = mkdtempSync(join(tmpdir(), "ponte-apart-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Rows in every state, as an older version left them; the last number given was that of a row that is gone. */
async function fillOldOutbox(db: Database): Promise<void> {
  const { now, plusMs, jsonOf } = db.dialect;
  await db.transaction(async (tx) => {
    for (const [i, status] of [...STATUSES, "discarded"].entries()) {
      await tx.rows(sql`
        insert into outbox (destination, route, event_name, event_id, pool_id, tracking_token, payment_id, bot_user_id,
          payload, status, attempts, available_at, lease_until, lease_id, last_error, fbtrace_id, created_at, delivered_at)
        values ('meta', '123', 'PageView', ${`evt_${i}`}, 7, 'token', 'payment', 9,
          ${jsonOf(JSON.stringify({ b: i, a: "ção" }))}, ${status}, cast(${i} as integer), ${plusMs(now, i)}, ${plusMs(now, 1000)}, 'lease',
          'error', 'trace', ${plusMs(now, -1000)}, ${now}) returning id`);
    }
    await tx.rows(sql`delete from outbox where event_id in ('evt_2', 'evt_6') returning id`);
  });
}

const rowsOf = (db: Database) => db.rows<Record<string, unknown>>(sql`select * from outbox order by id`);

describe(`the outbox in two tables, on ${testDialect}`, () => {
  test("has everything that an older version left, and gives no number twice", async () => {
    const own = await createTestDatabase({ migrated: false });
    await migrateUntil(TAG, own.url);
    await fillOldOutbox(own.db);
    const before = await rowsOf(own.db);
    expect(before).toHaveLength(STATUSES.length - 1);
    await own.db.migrate();
    expect((await rowsOf(own.db)).map((row) => ({ ...row }))).toEqual(before.map((row) => ({ ...row })));
    const [added = 0] = await addRows(own.db, 1);
    expect(added).toBe(STATUSES.length + 2);
    const [counted] = await own.db.rows<{ n: unknown }>(sql`select sum(events) as n from outbox_status`);
    expect(Number(counted?.n)).toBe(STATUSES.length);
    await own.dispose();
  });

  test.skipIf(testDialect === "sqlite")("waits for whoever is writing to the one table", async () => {
    const own = await createTestDatabase({ migrated: false });
    await migrateUntil(TAG, own.url);
    await fillOldOutbox(own.db);
    const writer = postgres(own.url, { max: 1, onnotice: () => undefined });
    await writer`begin`;
    await writer`update outbox set status = 'delivered' where event_id = 'evt_0'`;
    await writer`insert into outbox (destination, route, event_name, event_id, payload, available_at, created_at)
      values ('meta', '123', 'PageView', 'late', '{}', now(), now())`;
    const migrating = own.db.migrate();
    await until(async () => {
      const [waiting] = await own.db.rows(sql`select 1 from pg_locks where not granted`);
      return waiting !== undefined;
    });
    await writer`commit`;
    await migrating;
    const { outbox } = own.db.tables;
    const rows = await own.db
      .select()
      .from(outbox)
      .where(inArray(outbox.eventId, ["evt_0", "late"]));
    expect(rows.map(({ eventId, status }) => [eventId, status])).toEqual([
      ["evt_0", "delivered"],
      ["late", "pending"],
    ]);
    await writer.end();
    await own.dispose();
  });

  test.skipIf(testDialect === "sqlite")(
    "touches nothing while a view of somebody's own stands on it",
    async () => {
      const own = await createTestDatabase({ migrated: false });
      await migrateUntil(TAG, own.url);
      await own.db.transaction((tx) => tx.rows(sql`create view my_dead as select id from outbox`));
      await expect(own.db.migrate()).rejects.toThrow("my_dead (on outbox)");
      await own.db.transaction((tx) => tx.rows(sql`drop view my_dead`));
      await own.db.migrate();
      // On the view that it is now they may stand.
      await own.db.transaction((tx) => tx.rows(sql`create view my_dead as select id from outbox`));
      await own.db.transaction((tx) =>
        tx.rows(sql`delete from settings where key = 'views_digest' returning key`),
      );
      await own.db.migrate();
      await own.dispose();
    },
  );

  test("is made once where two processes begin at the same time", async () => {
    const own = await createTestDatabase({ migrated: false });
    await migrateUntil(TAG, own.url);
    await fillOldOutbox(own.db);
    const { jsonOf, now } = own.db.dialect;
    await own.db.transaction((tx) =>
      tx.rows(sql`
        with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 20000)
        insert into outbox (destination, route, event_name, event_id, payload, status, available_at, created_at)
        select 'meta', '123', 'PageView', 'old_' || cast(n as text), ${jsonOf("{}")}, 'delivered', ${now}, ${now} from numbers`),
    );
    const migrate = () => ponte(["migrate"], { DATABASE_URL: own.url, DATA_DIR: folder });
    const done = { code: 0, err: "" };
    expect(await Promise.all([migrate(), migrate()])).toMatchObject([done, done]);
    expect(await own.db.$count(own.db.tables.outbox)).toBe(20_000 + STATUSES.length - 1);
    await own.dispose();
  });

  test.skipIf(testDialect === "sqlite")("lets those at it who were let at the one table", async () => {
    const own = await createTestDatabase({ migrated: false });
    await migrateUntil(TAG, own.url);
    const role = `ponte_test_reader_${crypto.randomUUID().slice(0, 8)}`;
    const owner = postgres(own.url, { max: 1, onnotice: () => undefined });
    await owner.unsafe(`create role ${role}; grant select, update on outbox to ${role};
      create view outbox_dead as select * from outbox; grant select on outbox_dead to ${role}`);
    await own.db.migrate();
    const mayDo = async (relation: string) => {
      const rights = ["select", "update", "delete"];
      const rows = await owner<{ may: boolean }[]>`
        select has_table_privilege(${role}, ${relation}, "right") as may from unnest(${rights}::text[]) "right"`;
      return rights.filter((_, i) => rows[i]?.may);
    };
    expect(await mayDo("outbox_events")).toEqual(["select", "update"]);
    expect(await mayDo("outbox_progress")).toEqual(["select", "update"]);
    expect(await mayDo("outbox")).toEqual(["select", "update"]);
    expect(await mayDo("outbox_dead")).toEqual(["select"]);
    expect(await mayDo("funnel_daily")).toEqual([]);
    await owner.unsafe(`drop owned by ${role}; drop role ${role}`);
    await owner.end();
    await own.dispose();
  });

  test("is written, changed and deleted by an operator's SQL as if it were one", async () => {
    const own = await createTestDatabase();
    const { now, plusMs, jsonOf } = own.db.dialect;
    const run = (statement: ReturnType<typeof sql>) => own.db.transaction((tx) => tx.rows(statement));
    const [kept = 0] = await addRows(own.db, 1, { eventId: "kept" });
    await run(sql`
      insert into outbox (destination, route, event_name, event_id, payload, available_at, created_at)
      values ('meta', '123', 'PageView', 'by hand', ${jsonOf('{"by":"hand"}')}, ${now}, ${now})`);
    await run(sql`update outbox set status = 'dead', last_error = 'no', payload = ${jsonOf('{"by":"me"}')},
      available_at = ${plusMs(now, 60_000)} where event_id = 'by hand'`);
    const { outbox, outboxEvents, outboxProgress } = own.db.tables;
    const [, changed] = await own.db.select().from(outbox).orderBy(outbox.id);
    expect(changed).toMatchObject({
      id: kept + 1,
      eventId: "by hand",
      status: "dead",
      attempts: 0,
      lastError: "no",
      payload: { by: "me" },
    });
    const columns = sql`(destination, route, event_name, event_id, payload, available_at, created_at)`;
    const same = sql`values ('meta', '9', 'PageView', 'by hand', ${jsonOf("{}")}, ${now}, ${now})`;
    if (testDialect === "sqlite") await run(sql`insert or ignore into outbox ${columns} ${same}`);
    await expect(run(sql`insert into outbox ${columns} ${same}`)).rejects.toThrow();
    expect(await own.db.$count(outboxProgress)).toBe(2);
    await run(sql`delete from outbox where event_id = 'by hand'`);
    expect(await own.db.$count(outboxEvents)).toBe(1);
    expect(await own.db.$count(outboxProgress)).toBe(1);
    expect(await own.db.select({ id: outbox.id, status: outbox.status }).from(outbox)).toEqual([
      { id: kept, status: "pending" },
    ]);
    await own.dispose();
  });

  test("tells which rows went in, and writes nothing of those that were there", async () => {
    const own = await createTestDatabase();
    const at = new Date(1_764_115_200_123);
    const row = (eventId: string, destination: "meta" | "telegram" = "meta") => ({
      destination,
      route: "123",
      eventName: "PageView",
      eventId,
      payload: pageView(eventId, 1_764_115_200),
      status: "pending" as const,
      availableAt: at,
      createdAt: at,
    });
    const other = { payload: { event_name: "Other" }, availableAt: new Date(0), status: "dead" as const };
    const insert = (...rows: NewRow[]) =>
      own.db.transaction((tx) => tx.insertSplit(outboxTable(own.db.tables), rows));
    expect(await insert(row("a"), row("b"))).toEqual([true, true]);
    // Of one event given twice the first counts, as a whole.
    const again = { ...row("c"), ...other };
    expect(await insert({ ...row("b"), ...other }, row("c"), again, row("b", "telegram"))).toEqual([
      false,
      true,
      false,
      true,
    ]);
    const { outbox, outboxEvents, outboxProgress } = own.db.tables;
    expect(await own.db.$count(outboxEvents)).toBe(4);
    expect(await own.db.$count(outboxProgress)).toBe(4);
    const rows = await own.db.select().from(outbox).orderBy(outbox.id);
    const expected = [row("a"), row("b"), row("c"), row("b", "telegram")];
    expect(rows).toEqual(expected.map((one) => expect.objectContaining(one)));
    await own.dispose();
  });
});
