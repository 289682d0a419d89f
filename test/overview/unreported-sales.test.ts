import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type SQL, sql } from "drizzle-orm";
import type { Tables } from "../../src/db/define-schema.ts";
import { readUnreportedSales } from "../../src/overview/unreported-sales.ts";
import { newId } from "../../src/platform/ids.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";

const DAY_MS = 86_400_000;

let own: TestDatabase;
let reporting: number;
let silent: number;
beforeAll(async () => {
  own = await createTestDatabase();
  reporting = (await addPool(own.db, { slug: "reporting" })).pool.id;
  silent = (await addPool(own.db, { slug: "silent", metaPixelId: null })).pool.id;
});
afterAll(() => own.dispose());
beforeEach(() => own.db.transaction((tx) => tx.delete(own.db.tables.payments)));

type NewPayment = Tables["payments"]["$inferInsert"];

function saleOf(change: Partial<NewPayment>): NewPayment {
  const now = new Date();
  return {
    id: newId(),
    provider: "generic",
    providerRef: newId(),
    status: "paid",
    amountMinor: 4990,
    currency: "BRL",
    paidAt: now,
    createdAt: now,
    updatedAt: now,
    ...change,
  };
}

async function addSales(changes: readonly Partial<NewPayment>[]): Promise<void> {
  await own.db.transaction((tx) => tx.insert(own.db.tables.payments).values(changes.map(saleOf)));
}

/** As many equal ones, quickly. */
async function addMany(count: number, change: Partial<NewPayment>): Promise<void> {
  const sales = Array.from({ length: count }, () => saleOf(change));
  await own.db.transaction((tx) => tx.insertMany(own.db.tables.payments, ["id"], sales));
}

describe(`sales that Meta was not told of, on ${testDialect}`, () => {
  test("are those without a pool, and those of a pool that has a pixel by now, the newest first", async () => {
    const paidAt = new Date(Date.now() - DAY_MS);
    await addSales([{ providerRef: "of a pool", poolId: reporting, paidAt }]);
    await addSales([{ providerRef: "of none" }, { providerRef: "of one that is gone", poolId: 4711 }]);
    const { count, isMore, newest } = await readUnreportedSales(own.db);
    expect({ count, isMore }).toEqual({ count: 3, isMore: false });
    expect(newest.map(({ providerRef }) => providerRef).toSorted()).toEqual([
      "of a pool",
      "of none",
      "of one that is gone",
    ]);
    expect(newest[2]).toMatchObject({ provider: "generic", amountMinor: 4990, currency: "BRL", paidAt });
  });

  test("are none that are reported, given back, kept from Meta on purpose, or too old for it", async () => {
    const paidAt = new Date(Date.now() - 8 * DAY_MS);
    await addSales([
      { metaPurchaseSent: true },
      { status: "refunded" },
      { status: "pending", paidAt: null },
      { erasedAt: new Date() },
      { providerData: { title: "x", consent: "denied" } },
      { poolId: silent },
      { poolId: reporting, currency: "XTR" },
      { paidAt },
    ]);
    expect(await readUnreportedSales(own.db)).toEqual({ count: 0, isMore: false, newest: [] });
    await addSales([{ providerData: { title: '"consent":"denied"' } }, { currency: "XTR" }]);
    expect((await readUnreportedSales(own.db)).count).toBe(2);
  });

  test("are counted no further than so many, by their own index alone", async () => {
    await addMany(100, { poolId: reporting });
    await addMany(2_000, { poolId: silent, paidAt: new Date(Date.now() - DAY_MS) });
    await addMany(20_000, { metaPurchaseSent: true });
    const { count, isMore, newest } = await readUnreportedSales(own.db);
    expect({ count, isMore, shown: newest.length }).toEqual({ count: 100, isMore: true, shown: 20 });

    if (testDialect === "postgres") await own.db.transaction((tx) => tx.rows(sql`analyze`));
    const asked: SQL[] = [];
    const rows = <T>(statement: SQL) => {
      asked.push(statement);
      return own.db.rows<T>(statement);
    };
    await readUnreportedSales({ ...own.db, rows });
    const explain = testDialect === "postgres" ? sql`explain` : sql`explain query plan`;
    const plan = await own.db.rows<Record<string, unknown>>(sql`${explain} ${asked[0]}`);
    const lines = plan.map((line) => String(line.detail ?? line["QUERY PLAN"])).join("\n");
    expect(lines).toContain("payments_unreported_idx");
    expect(lines).not.toMatch(/SCAN payments|Seq Scan on payments/);
  });
});
