import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import fc from "fast-check";
import type { Tx } from "../../src/db/database.ts";
import { outboxTable } from "../../src/outbox/enqueue.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.dispose());

async function put(tx: Tx, key: string, value: string) {
  await tx.insert(own.db.tables.settings).values({ key, value, updatedAt: new Date(0) });
}

async function settingOf(key: string) {
  const { settings } = own.db.tables;
  const [row] = await own.db.select().from(settings).where(eq(settings.key, key));
  return row?.value;
}

describe(`transaction on ${testDialect}`, () => {
  test("rolls back what was written before an await when the work fails after it", async () => {
    const failing = own.db.transaction(async (tx) => {
      await put(tx, "half", "done");
      await Bun.sleep(5);
      throw new Error("power cut");
    });
    await expect(failing).rejects.toThrow("power cut");
    expect(await settingOf("half")).toBeUndefined();
  });

  test("hides uncommitted rows from everybody else, across awaits", async () => {
    const wrote = Promise.withResolvers<void>();
    const seen = Promise.withResolvers<void>();
    const work = own.db.transaction(async (tx) => {
      await put(tx, "hidden", "yes");
      wrote.resolve();
      await seen.promise;
    });
    await wrote.promise;
    expect(await settingOf("hidden")).toBeUndefined();
    seen.resolve();
    await work;
    expect(await settingOf("hidden")).toBe("yes");
  });

  test("one request's failure takes nothing of a concurrent request along", async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        own.db.transaction(async (tx) => {
          await put(tx, `concurrent-${i}`, "1");
          await Bun.sleep(i % 3);
          if (i % 2) throw new Error("odd");
        }),
      ),
    );
    expect(outcomes.filter((outcome) => outcome.status === "rejected")).toHaveLength(10);
    const { settings } = own.db.tables;
    const kept = await own.db.select().from(settings).where(sql`${settings.key} like 'concurrent-%'`);
    expect(kept.map((row) => Number(row.key.split("-")[1])).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 10 }, (_, i) => i * 2),
    );
  });

  test("wakes listeners once the commit can be seen", async () => {
    const seen = Promise.withResolvers<string>();
    const stop = own.db.listen("pools", async () => {
      const value = await settingOf("notified").catch(() => undefined);
      if (value) seen.resolve(value);
    });
    await own.db.transaction(async (tx) => {
      await put(tx, "notified", "committed");
      await tx.notify("pools");
    });
    expect(await seen.promise).toBe("committed");
    stop();
  });
});

describe(`insertMany on ${testDialect}`, () => {
  test("tells which rows went in and leaves out those whose key is there", async () => {
    const { settings } = own.db.tables;
    const row = (key: string) => ({ key, value: `v'"\\{${key}`, updatedAt: new Date(1_700_000_000_123) });
    const insert = (keys: string[]) =>
      own.db.transaction((tx) => tx.insertMany(settings, ["key"], keys.map(row)));
    expect(await insert(["a", "b"])).toEqual([true, true]);
    expect(await insert(["b", "c", "c", "d"])).toEqual([false, true, false, true]);
    const [stored] = await own.db.select().from(settings).where(eq(settings.key, "a"));
    expect(stored).toEqual(row("a"));
  });

  test("tells which rows went in where the key is a number", async () => {
    const { telegramUpdates } = own.db.tables;
    const row = (updateId: number) => ({ botId: 1, updateId, createdAt: new Date(0) });
    const insert = (...ids: number[]) =>
      own.db.transaction((tx) => tx.insertMany(telegramUpdates, ["botId", "updateId"], ids.map(row)));
    expect(await insert(1, 9_007_199_254_740_991)).toEqual([true, true]);
    expect(await insert(1, 2)).toEqual([false, true]);
  });

  test("keeps every text as it is, also in JSON, and tells it from no text", async () => {
    const { outbox, outboxEvents, outboxProgress } = own.db.tables;
    const texts = [
      "",
      "null",
      "NULL",
      "{a,b}",
      '"',
      "\\",
      '\\"',
      " a ",
      "a\tb\r\nc",
      "\u2028",
      "🇧🇷 ação",
      "');--",
      null,
    ];
    const at = new Date(1_732_000_000_001);
    const rows = texts.map((text, i) => ({
      destination: "meta" as const,
      route: "texts",
      eventName: "PageView",
      eventId: `text-${i}`,
      lastError: text,
      payload: { text, [`${text}`]: [text] },
      availableAt: at,
      createdAt: at,
    }));
    await own.db.transaction((tx) => tx.insertSplit(outboxTable(own.db.tables), rows));
    const stored = await own.db.select().from(outbox).where(eq(outbox.route, "texts")).orderBy(outbox.id);
    expect(stored).toEqual(rows.map((row) => expect.objectContaining(row)));

    const changed = stored.map(({ id }, i) => ({ id, lastError: texts.at(-1 - i) ?? null }));
    const payloads = stored.map(({ id }, i) => ({ id, payload: rows.at(-1 - i)?.payload ?? null }));
    await own.db.transaction(async (tx) => {
      await tx.updateMany(outboxProgress, ["id"], changed);
      await tx.updateMany(outboxEvents, ["id"], payloads);
    });
    const reread = await own.db.select().from(outbox).where(eq(outbox.route, "texts")).orderBy(outbox.id);
    expect(reread).toMatchObject(changed);
    expect(reread).toMatchObject(payloads);
  });

  test("keeps whatever texts rows have, one row or many", async () => {
    const { outbox } = own.db.tables;
    let batches = 0;
    const anyText = fc
      .string({ unit: "binary", maxLength: 20 })
      // What no database takes: a NUL, and half a surrogate pair.
      .filter((text) => text.isWellFormed() && !text.includes("\0"));
    const texts = fc.array(fc.option(fc.oneof(fc.constant(""), anyText)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(texts, async (given) => {
        const route = `batch-${batches++}`;
        const at = new Date(0);
        const rows = given.map((text, i) => ({
          destination: "meta" as const,
          route,
          eventName: "PageView",
          eventId: `${route}-${i}`,
          lastError: text,
          payload: { text },
          availableAt: at,
          createdAt: at,
        }));
        await own.db.transaction((tx) => tx.insertSplit(outboxTable(own.db.tables), rows));
        const stored = await own.db
          .select({ lastError: outbox.lastError, payload: outbox.payload })
          .from(outbox)
          .where(eq(outbox.route, route))
          .orderBy(outbox.id);
        expect(stored).toEqual(given.map((text) => ({ lastError: text, payload: { text } })));
      }),
      { numRuns: 50 },
    );
  });

  test("keeps instants to the millisecond, however far away", async () => {
    const { settings } = own.db.tables;
    const instants = [-2_177_452_799_999, -1, 0, 999, 1_764_115_200_123, 253_402_300_799_999];
    const rows = instants.map((ms) => ({ key: `at ${ms}`, value: "", updatedAt: new Date(ms) }));
    await own.db.transaction((tx) => tx.insertMany(settings, ["key"], rows));
    for (const row of rows) {
      const [stored] = await own.db.select().from(settings).where(eq(settings.key, row.key));
      expect(stored).toEqual(row);
    }
  });

  test("keeps dates, booleans, JSON and nulls as the row type says", async () => {
    const { pools } = own.db.tables;
    const now = new Date(1_732_000_000_456);
    const row = {
      slug: "typed",
      name: "Nome “com” ação",
      captureParams: ["sub1", 'q"uote'],
      metaTrackingEnabled: false,
      metaPixelId: null,
      createdAt: now,
      updatedAt: now,
    };
    await own.db.transaction((tx) => tx.insertMany(pools, ["slug"], [row]));
    const [stored] = await own.db.select().from(pools).where(eq(pools.slug, "typed"));
    const made = { enabled: true, totalRedirects: 0, strategy: "weighted" };
    expect(stored).toEqual(expect.objectContaining({ ...row, ...made }));
  });
});

describe(`durability on ${testDialect}`, () => {
  // 2 is SQLite's FULL, 1 its NORMAL.
  const asked = testDialect === "sqlite" ? sql`pragma synchronous` : sql`show synchronous_commit`;
  const settingIn = async (durability?: "full" | "relaxed") => {
    const [row] = await own.db.transaction((tx) => tx.rows<Record<string, unknown>>(asked), durability);
    return Object.values(row ?? {})[0];
  };
  const [full, relaxed] = testDialect === "sqlite" ? [2, 1] : ["on", "off"];

  test("is full, unless a transaction may be done again", async () => {
    expect(await settingIn()).toBe(full);
    expect(await settingIn("relaxed")).toBe(relaxed);
    expect(await settingIn()).toBe(full);
  });

  // Postgres has connections of their own for visitors.
  test.skipIf(testDialect === "postgres")(
    "what may be done again lets others by, and is all done before a close",
    async () => {
      const order: string[] = [];
      const busy = await createTestDatabase();
      const relaxed = Array.from({ length: 3 }, (_, i) =>
        busy.db.transaction(async () => void order.push(`lease ${i}`), "relaxed"),
      );
      const visit = busy.db.transaction(async () => void order.push("visit"));
      await Promise.all([busy.dispose(), visit, ...relaxed]);
      expect(order).toEqual(["lease 0", "visit", "lease 1", "lease 2"]);
    },
  );

  test("is full again after a relaxed transaction that failed", async () => {
    const failing = own.db.transaction(() => Promise.reject(new Error("of ours")), "relaxed");
    await expect(failing).rejects.toThrow("of ours");
    expect(await settingIn()).toBe(full);
  });
});
