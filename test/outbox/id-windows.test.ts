import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import type { OutboxFilter } from "../../src/outbox/filter.ts";
import { idWindows } from "../../src/outbox/id-windows.ts";
import { listOutbox } from "../../src/outbox/outbox-rows.ts";
import { countReplay, replay } from "../../src/outbox/replay.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addRows } from "../support/outbox.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.parse("2026-03-01T00:00:00Z");
const hour = (n: number) => new Date(START_MS + n * HOUR_MS);

let own: TestDatabase;
let dead: number[];
/** Ids that lie far apart make the table long without many rows. */
beforeAll(async () => {
  own = await createTestDatabase();
  dead = [];
  for (let n = 0; n < 20; n++) {
    const ids = await addRows(own.db, 2, {
      status: n % 2 === 0 ? "dead" : "delivered",
      eventName: n === 0 ? "Rare" : "PageView",
      createdAt: hour(10 * n),
    });
    const apart = 10_000 * (n + 1);
    await own.db.transaction(async (tx) => {
      for (const [i, id] of ids.entries())
        await tx.rows(sql`update outbox set id = ${apart + i} where id = ${id} returning id`);
    });
    if (n % 2 === 0) dead.push(apart, apart + 1);
  }
});
afterAll(() => own.dispose());

async function windowsOf(filter: OutboxFilter) {
  return Array.fromAsync(idWindows(own.db, filter, { direction: "down" }));
}

describe(`long tables on ${testDialect}`, () => {
  test("are looked through in pieces, from one end to the other, each row once", async () => {
    const windows = await windowsOf({});
    expect(windows.length).toBeGreaterThan(5);
    expect(windows[0]?.to).toBe(200_002);
    expect(windows.at(-1)?.from).toBe(10_000);
    for (const [i, { from, to }] of windows.entries()) {
      expect(to - from).toBeLessThanOrEqual(20_000);
      expect(windows[i + 1]?.to ?? from).toBe(from);
    }
  });

  test("are looked through only where the times can lie", async () => {
    const [only, ...others] = await windowsOf({ after: hour(100), before: hour(101) });
    expect(others).toEqual([]);
    expect(only?.from).toBeGreaterThan(100_001);
    expect(only?.to).toBeGreaterThan(110_001);
    expect(await windowsOf({ before: hour(-10) })).toEqual([]);
    expect(await windowsOf({ after: hour(1_000) })).toEqual([]);
  });

  test("give what matches, across pieces, and by its times to the millisecond", async () => {
    const all = await listOutbox(own.db, { status: "dead" }, { limit: 50 });
    expect(all.items.map(({ id }) => id)).toEqual(dead.toReversed());
    expect(all.next_cursor).toBeNull();
    const of = async (filter: OutboxFilter) =>
      (await listOutbox(own.db, filter, { limit: 50 })).items.map(({ id }) => id);
    expect(await of({ eventName: "Rare" })).toEqual([10_001, 10_000]);
    expect(await of({ after: hour(180), before: new Date(hour(190).getTime() + 1) })).toHaveLength(4);
    expect(await of({ after: hour(180), before: hour(190) })).toHaveLength(2);
  });

  test("a search that ran out of time goes on where it stopped", async () => {
    const found: number[] = [];
    let pages = 0;
    for (let cursor: number | undefined; ; pages++) {
      const page = await listOutbox(own.db, { eventName: "Rare" }, { cursor, limit: 50, budgetMs: 0 });
      found.push(...page.items.map(({ id }) => id));
      if (page.next_cursor === null) break;
      cursor = Number(page.next_cursor);
    }
    expect(pages).toBeGreaterThan(3);
    expect(found).toEqual([10_001, 10_000]);
  });

  test("are counted and changed across pieces", async () => {
    expect(await countReplay(own.db, "discard", { filter: { status: "dead" } })).toBe(20);
    expect(await countReplay(own.db, "discard", { filter: { text: "no such error" } })).toBe(0);
    expect(await replay(own.db, "discard", { filter: { before: hour(21) } })).toBe(4);
    expect(await countReplay(own.db, "discard", { filter: { status: "dead" } })).toBe(16);
  });
});

describe("where an index leads to a few rows", () => {
  test.if(testDialect === "sqlite")("SQLite takes it for counting and changing", async () => {
    const plans: Promise<{ detail: string }[]>[] = [];
    const spied: TestDatabase["db"] = {
      ...own.db,
      $count(from, where) {
        plans.push(own.db.rows(sql`explain query plan select count(*) from ${from} where ${where}`));
        return own.db.$count(from, where);
      },
    };
    for (const status of ["dead", "expired", "discarded"] as const)
      await countReplay(spied, "retry", { filter: { status } });
    expect(plans.length).toBeGreaterThan(3);
    for (const [step] of await Promise.all(plans))
      expect(step?.detail).toContain("outbox_troubled_idx (status=? AND id>? AND id<?)");
  });
});
