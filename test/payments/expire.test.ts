import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import type { Tx } from "../../src/db/database.ts";
import { expirePayments } from "../../src/payments/expire.ts";
import { newId } from "../../src/platform/ids.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { untilHeldUp } from "../support/until-held-up.ts";

const HOUR_MS = 3_600_000;

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.dispose());

async function addPayments(count: number, ageHours: number, status: "pending" | "paid", now: Date) {
  const { payments } = own.db.tables;
  const createdAt = new Date(now.getTime() - ageHours * HOUR_MS);
  const rows = Array.from({ length: count }, () => {
    const id = newId();
    return {
      id,
      provider: "generic",
      providerRef: id,
      status,
      amountMinor: 100,
      currency: "BRL",
      createdAt,
      updatedAt: createdAt,
    };
  });
  await own.db.transaction(async (tx) => {
    for (const row of rows) await tx.insert(payments).values(row);
  });
  return rows.map(({ id }) => id);
}

async function statuses() {
  const { payments } = own.db.tables;
  const rows = await own.db.select().from(payments);
  return new Map(rows.map(({ id, status }) => [id, status]));
}

describe(`payments that nobody pays, on ${testDialect}`, () => {
  test("expire after two days, in batches, and nothing else does", async () => {
    const now = new Date();
    const old = await addPayments(1203, 48.01, "pending", now);
    const young = await addPayments(3, 47.99, "pending", now);
    const paid = await addPayments(3, 1000, "paid", now);
    expect(await expirePayments(own.db, now)).toBe(1203);
    const after = await statuses();
    expect(old.every((id) => after.get(id) === "expired")).toBe(true);
    expect(young.every((id) => after.get(id) === "pending")).toBe(true);
    expect(paid.every((id) => after.get(id) === "paid")).toBe(true);
    expect(await expirePayments(own.db, now)).toBe(0);
  });

  test("one that is registered with a time of days ago has two days from now", async () => {
    const now = new Date();
    const [id = ""] = await addPayments(1, 72, "pending", now);
    const { payments } = own.db.tables;
    const registered = (ageHours: number) =>
      own.db.transaction((tx) =>
        tx
          .update(payments)
          .set({ updatedAt: new Date(now.getTime() - ageHours * HOUR_MS) })
          .where(eq(payments.id, id)),
      );
    await registered(1);
    expect(await expirePayments(own.db, now)).toBe(0);
    await registered(49);
    expect(await expirePayments(own.db, now)).toBe(1);
  });

  test("two processes at once expire each of them once", async () => {
    const now = new Date();
    await addPayments(700, 100, "pending", now);
    const counts = await Promise.all([expirePayments(own.db, now), expirePayments(own.db, now)]);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(700);
  });

  test("wait for nobody who holds one, nor keep him from the others", async () => {
    const { db } = own;
    const { payments } = db.tables;
    const now = new Date();
    const ids = [
      ...(await addPayments(1, 100, "pending", now)),
      ...(await addPayments(1, 99, "pending", now)),
    ];
    const lock = (tx: Tx, id = "") =>
      db.dialect.locked(tx.select({ id: payments.id }).from(payments).where(eq(payments.id, id)));
    let expired: Promise<number> = Promise.resolve(0);
    await db.transaction(async (tx) => {
      await lock(tx, ids[1]);
      expired = expirePayments(db, now);
      await untilHeldUp(db, expired);
      // As whoever locks payments by the tokens of their visits.
      await lock(tx, ids[0]);
    });
    expect((await expired) + (await expirePayments(db, now))).toBe(2);
  });

  test("end after the batch in hand where the process stops, and the rest at the next start", async () => {
    const now = new Date();
    await addPayments(700, 100, "pending", now);
    expect(await expirePayments(own.db, now, AbortSignal.abort())).toBe(500);
    expect(await expirePayments(own.db, now)).toBe(200);
  });

  test("pending ones are found by an index of their own, however many payments there are", async () => {
    const { db } = own;
    const { payments } = db.tables;
    const query = sql`select id from payments where status = 'pending' and created_at < ${db.dialect.instant(new Date())} order by created_at limit 500`;
    const plan =
      testDialect === "sqlite"
        ? await db.rows(sql`explain query plan ${query}`)
        : await db.transaction(async (tx) => {
            await tx.rows(sql`set local enable_seqscan = off`);
            return tx.rows(sql`explain ${query}`);
          });
    expect(JSON.stringify(plan)).toContain("payments_pending_idx");
    expect(await db.$count(payments, eq(payments.status, "pending"))).toBe(3);
  });
});
