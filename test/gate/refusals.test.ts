import { expect, test } from "bun:test";
import type { Database } from "../../src/db/database.ts";
import { readRefusals } from "../../src/gate/read-refusals.ts";
import { createRefusalCounter } from "../../src/gate/refusals.ts";
import { HOUR_MS } from "../../src/platform/durations.ts";
import { createLog } from "../../src/platform/log.ts";
import { createSecrets } from "../../src/platform/secrets.ts";
import { deletePool } from "../../src/pools/manage-pools.ts";
import { createTestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";

test(`refusals of a pool that was deleted meanwhile keep no other pool's from being stored, on ${testDialect}`, async () => {
  const { db, dispose } = await createTestDatabase();
  const { pool: kept } = await addPool(db, { slug: "kept" });
  const { pool: gone } = await addPool(db, { slug: "gone" });
  const refusals = createRefusalCounter({ db, log: createLog("silent") });
  const atMs = Date.UTC(2026, 0, 1, 12, 30);
  refusals.count(gone.id, "param", atMs);
  refusals.count(kept.id, "param", atMs);
  refusals.count(kept.id, "automated", atMs);
  const manage = { db, secrets: createSecrets(new Uint8Array(32)), now: () => new Date(atMs) };
  expect(await deletePool(manage, "cli", "gone")).toMatchObject({ kind: "deleted" });
  await refusals.close();
  const rows = await db.select().from(db.tables.gateRefusals);
  expect(rows.map(({ poolId, reason, total }) => [poolId, reason, total]).sort()).toEqual([
    [kept.id, "automated", 1],
    [kept.id, "param", 1],
  ]);
  await dispose();
});

test(`refusals are stored in the order of their pools, so that two processes do not wait for each other, on ${testDialect}`, async () => {
  const { db, dispose } = await createTestDatabase();
  const { pool: first } = await addPool(db, { slug: "first" });
  const { pool: second } = await addPool(db, { slug: "second" });
  const refusals = createRefusalCounter({ db, log: createLog("silent") });
  const atMs = Date.UTC(2026, 0, 1, 12, 30);
  for (const { id } of [second, first]) refusals.count(id, "param", atMs);
  await refusals.close();
  const { gateRefusals } = db.tables;
  const rows = await db.select().from(gateRefusals).orderBy(gateRefusals.id);
  expect(rows.map(({ poolId }) => poolId)).toEqual([first.id, second.id]);
  await dispose();
});

test(`refusals whose commit went through unseen are not counted again, and later ones are, on ${testDialect}`, async () => {
  const { db, dispose } = await createTestDatabase();
  const { pool } = await addPool(db, { slug: "gated" });
  let isAnswerLost = true;
  const unsteady: Database = {
    ...db,
    async transaction(work) {
      const result = await db.transaction(work);
      if (isAnswerLost) throw new Error("the connection was lost");
      return result;
    },
  };
  const atMs = Date.UTC(2026, 0, 1, 12, 30);
  const [one, other] = [unsteady, db].map((of) => createRefusalCounter({ db: of, log: createLog("silent") }));
  one?.count(pool.id, "param", atMs);
  await one?.flush();
  one?.count(pool.id, "param", atMs);
  one?.count(pool.id, "param", atMs);
  await one?.flush();
  other?.count(pool.id, "param", atMs);
  await other?.flush();
  isAnswerLost = false;
  await one?.close();
  await other?.close();
  const rows = await db.select().from(db.tables.gateRefusals);
  expect(rows.map(({ total }) => total)).toEqual([4]);
  await dispose();
});

test(`refusals that a silent database keeps waiting are added once it answers again, and hold no stop up, on ${testDialect}`, async () => {
  const { db, dispose } = await createTestDatabase();
  const { pool } = await addPool(db, { slug: "gated" });
  let isSilent = true;
  const unsteady: Database = {
    ...db,
    transaction: (work) => (isSilent ? new Promise<never>(() => undefined) : db.transaction(work)),
    renewConnections: () => undefined,
  };
  const refusals = createRefusalCounter({ db: unsteady, log: createLog("silent") });
  refusals.count(pool.id, "param", Date.UTC(2026, 0, 1));
  await refusals.flush();
  // At once: whatever begins each second would find it silent again.
  isSilent = false;
  await refusals.close();
  expect(await db.select({ total: db.tables.gateRefusals.total }).from(db.tables.gateRefusals)).toEqual([
    { total: 1 },
  ]);
  await dispose();
});

test(`the note of a process that is long gone is forgotten, and no other setting with it, on ${testDialect}`, async () => {
  const { db, dispose } = await createTestDatabase();
  const { pool } = await addPool(db, { slug: "gated" });
  const { settings } = db.tables;
  const count = async () => {
    const refusals = createRefusalCounter({ db, log: createLog("silent") });
    refusals.count(pool.id, "param", Date.UTC(2026, 0, 1));
    await refusals.close();
  };
  const keys = async () => (await db.select({ key: settings.key }).from(settings)).map(({ key }) => key);
  const others = await keys();
  expect(others).not.toEqual([]);
  await count();
  const [gone] = (await keys()).filter((key) => !others.includes(key));
  await db.transaction((tx) => tx.update(settings).set({ updatedAt: new Date(0) }));
  await count();
  const left = await keys();
  expect(left).toHaveLength(others.length + 1);
  expect(left).toEqual(expect.arrayContaining(others));
  expect(left).not.toContain(gone);
  await dispose();
});

test(`refusals are read by pool, or of one pool alone, on ${testDialect}`, async () => {
  const { db, dispose } = await createTestDatabase();
  const { pool: first } = await addPool(db, { slug: "first" });
  const { pool: second } = await addPool(db, { slug: "second" });
  const refusals = createRefusalCounter({ db, log: createLog("silent") });
  const atMs = Date.UTC(2026, 0, 1, 12, 30);
  // Of the hours before and after the span nothing is read.
  for (const ms of [atMs - HOUR_MS, atMs, atMs + HOUR_MS]) refusals.count(first.id, "param", ms);
  for (const reason of ["param", "automated"] as const) refusals.count(second.id, reason, atMs);
  await refusals.close();
  const span = { fromMs: atMs, toMs: atMs + 1 };
  const ofFirst = { pool_id: first.id, pool: "first", param: 1, automated: 0 };
  const ofSecond = { pool_id: second.id, pool: "second", param: 1, automated: 1 };
  expect(await readRefusals(db, span)).toEqual([ofSecond, ofFirst]);
  expect(await readRefusals(db, { ...span, poolId: first.id })).toEqual([ofFirst]);
  await dispose();
});
