import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { asc } from "drizzle-orm";
import { auditedReplay } from "../../src/audit/audited-replay.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addRows, emptyOutbox, statusCounts } from "../support/outbox.ts";

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.dispose());
beforeEach(async () => {
  await emptyOutbox(own.db);
  await own.db.transaction((tx) => tx.delete(own.db.tables.auditLog));
});

const discard = { action: "discard", actor: "console" } as const;
const now = () => new Date();

async function audited() {
  const { auditLog } = own.db.tables;
  const rows = await own.db.select().from(auditLog).orderBy(asc(auditLog.id));
  return rows.map(({ action, after }) => ({ action, after }));
}

describe(`a replay and its audit on ${testDialect}`, () => {
  test("of chosen rows stand or fall together", async () => {
    const ids = await addRows(own.db, 3, { status: "dead" });
    const broken = { ...own.db, tables: { ...own.db.tables, auditLog: own.db.tables.pools } };
    // @ts-expect-error: an audit log that cannot be written
    await expect(auditedReplay(broken, now, { ...discard, selection: { ids } })).rejects.toThrow();
    expect(await statusCounts(own.db)).toEqual({ dead: 3 });
    expect(await auditedReplay(own.db, now, { ...discard, selection: { ids } })).toBe(3);
    expect(await audited()).toEqual([{ action: "outbox.discard", after: { ids, rows: 3 } }]);
  });

  test("of all that match say when it began, and at its end how many it came to", async () => {
    await addRows(own.db, 5_000, { status: "dead" });
    const progress: number[] = [];
    const filter = { status: "dead" } as const;
    const done = await auditedReplay(own.db, now, {
      ...discard,
      selection: { filter },
      onProgress: (n) => progress.push(n),
    });
    expect(done).toBe(5_000);
    expect(progress).toEqual([1_000, 2_000, 3_000, 4_000, 5_000]);
    expect(await audited()).toEqual([
      { action: "outbox.discard.started", after: { filter } },
      { action: "outbox.discard", after: { filter, rows: 5_000 } },
    ]);
  });

  test("that is stopped half way leaves what was done, and says so", async () => {
    await addRows(own.db, 2_500, { status: "dead" });
    const stop = new AbortController();
    const selection = { filter: {} };
    const done = await auditedReplay(own.db, now, {
      ...discard,
      selection,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    expect(done).toBe(1_000);
    expect(await statusCounts(own.db)).toEqual({ dead: 1_500, discarded: 1_000 });
    expect((await audited()).at(-1)?.after).toEqual({ filter: {}, rows: 1_000, stopped: true });
  });

  test("that fails half way says how far it came", async () => {
    await addRows(own.db, 2_500, { status: "dead" });
    const failing = auditedReplay(own.db, now, {
      ...discard,
      selection: { filter: {} },
      onProgress() {
        throw new Error("the disk is full");
      },
    });
    await expect(failing).rejects.toThrow("the disk is full");
    expect((await audited()).at(-1)?.after).toEqual({ filter: {}, rows: 1_000, failed: true });
  });

  test("that changed nothing is not written down", async () => {
    expect(await auditedReplay(own.db, now, { ...discard, selection: { filter: {} } })).toBe(0);
    expect(await auditedReplay(own.db, now, { ...discard, selection: { ids: [1] } })).toBe(0);
    expect(await audited()).toEqual([]);
  });
});
