import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type SQL, sql } from "drizzle-orm";
import { readConfig } from "../../src/config.ts";
import type { Tables } from "../../src/db/define-schema.ts";
import { pageViewId } from "../../src/meta/event-ids.ts";
import { readUnreportedSales } from "../../src/overview/unreported-sales.ts";
import { newId } from "../../src/platform/ids.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";

const DAY_MS = 86_400_000;
const config = readConfig({});

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

/** A visit that was erased; its token. */
async function addErasedVisit(): Promise<string> {
  const token = newId();
  const at = new Date();
  const visit = { trackingToken: token, rootEventId: pageViewId(token), poolId: reporting, botId: 1 };
  await own.db.transaction((tx) =>
    tx
      .insert(own.db.tables.sessions)
      .values({ ...visit, consent: "erased", pageviewTs: at, createdAt: at, updatedAt: at }),
  );
  return token;
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
    const { count, isMore, newest } = await readUnreportedSales(own.db, config);
    expect({ count, isMore }).toEqual({ count: 3, isMore: false });
    expect(newest.map(({ providerRef }) => providerRef).toSorted()).toEqual([
      "of a pool",
      "of none",
      "of one that is gone",
    ]);
    expect(newest[2]).toMatchObject({ provider: "generic", amountMinor: 4990, currency: "BRL" });
    expect(newest[2]?.paidAt).toEqual(paidAt);
  });

  test("are none that are reported, given back, kept from Meta on purpose, or too old for it", async () => {
    const paidAt = new Date(Date.now() - 8 * DAY_MS);
    await addSales([
      { metaPurchaseSent: true },
      { status: "refunded" },
      { status: "pending", paidAt: null },
      { erasedAt: new Date() },
      { providerData: { title: "x", consent: "denied" } },
      { providerData: { consent: "erased" } },
      { poolId: silent },
      { paidAt },
    ]);
    expect(await readUnreportedSales(own.db, config)).toEqual({ count: 0, isMore: false, newest: [] });
    await addSales([{ providerData: { title: '"consent":"denied"' } }]);
    expect((await readUnreportedSales(own.db, config)).count).toBe(1);
  });

  test("are those in Stars, of a pool or of none, where Stars are reported as money, and nowhere else", async () => {
    await addSales([{ currency: "XTR" }, { poolId: reporting, currency: "XTR" }]);
    await addSales([{ poolId: silent, currency: "XTR" }]);
    expect((await readUnreportedSales(own.db, config)).count).toBe(2);
    expect(await readUnreportedSales(own.db, readConfig({ STARS_USD_PER_1000: "0" }))).toMatchObject({
      count: 0,
      newest: [],
    });
  });

  test("are those of buyers who refused, where they are reported under Limited Data Use", async () => {
    await addSales([{ providerRef: "refused", providerData: { consent: "denied" } }]);
    await addSales([{ providerRef: "erased", providerData: { consent: "erased" } }]);
    const { newest } = await readUnreportedSales(own.db, readConfig({ CONSENT_DENIED: "ldu" }));
    expect(newest.map(({ providerRef }) => providerRef)).toEqual(["refused"]);
  });

  test("are none of a visit that was erased, though the sale is somebody else's to whom it was passed on", async () => {
    await addSales([
      { providerRef: "of an erased visit", trackingToken: await addErasedVisit() },
      { providerRef: "of a visit nobody knows", trackingToken: newId() },
    ]);
    const { newest } = await readUnreportedSales(own.db, readConfig({ CONSENT_DENIED: "ldu" }));
    expect(newest.map(({ providerRef }) => providerRef)).toEqual(["of a visit nobody knows"]);
  });

  test("may be older than those looked at, which is said though none of these is one", async () => {
    await addSales([{ poolId: reporting, paidAt: new Date(Date.now() - DAY_MS) }]);
    await addMany(1_998, { poolId: silent });
    expect(await readUnreportedSales(own.db, config)).toMatchObject({ count: 1, isMore: false });
    await addMany(2, { poolId: silent });
    expect(await readUnreportedSales(own.db, config)).toEqual({ count: 0, isMore: true, newest: [] });
  });

  test("are counted no further than so many, by their own index alone", async () => {
    await addMany(100, { poolId: reporting });
    await addMany(2_000, { poolId: silent, paidAt: new Date(Date.now() - DAY_MS) });
    await addMany(20_000, { metaPurchaseSent: true });
    const { count, isMore, newest } = await readUnreportedSales(own.db, config);
    expect({ count, isMore, shown: newest.length }).toEqual({ count: 100, isMore: true, shown: 20 });

    if (testDialect === "postgres") await own.db.transaction((tx) => tx.rows(sql`analyze`));
    const asked: SQL[] = [];
    const rows = <T>(statement: SQL) => {
      asked.push(statement);
      return own.db.rows<T>(statement);
    };
    await readUnreportedSales({ ...own.db, rows }, config);
    const explain = testDialect === "postgres" ? sql`explain` : sql`explain query plan`;
    expect(asked).toHaveLength(2);
    for (const statement of asked) {
      const plan = await own.db.rows<Record<string, unknown>>(sql`${explain} ${statement}`);
      const lines = plan.map((line) => String(line.detail ?? line["QUERY PLAN"])).join("\n");
      expect(lines).toContain("payments_unreported_idx");
      expect(lines).not.toMatch(/SCAN payments|Seq Scan on payments/);
    }
  });
});
