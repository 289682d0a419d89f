import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { PIXEL, seedPools } from "../../scripts/bench/seed.ts";
import { UsageError } from "../../scripts/lib/command.ts";
import { fill } from "../../scripts/measure/growth/fill.ts";
import { measure } from "../../scripts/measure/growth/measure.ts";
import { readOptions } from "../../scripts/measure/growth/options.ts";
import { renderTable } from "../../scripts/measure/growth/table.ts";
import { createTestDatabase } from "../support/database.ts";

test("sizes are measured from the smallest on, on both databases unless one is named", () => {
  expect(readOptions(["--rows", "100,10,100"])).toMatchObject({
    sizes: [10, 100],
    databases: ["sqlite", "postgres"],
    rounds: 25,
  });
  expect(readOptions(["--database", "postgres"]).databases).toEqual(["postgres"]);
});

test.each([
  [["--rows", "many"], '--rows takes whole numbers above 0, not "many"'],
  [["--rounds", "0"], '--rounds takes whole numbers above 0, not "0"'],
  [["--database", "oracle"], "--database takes sqlite, postgres or both"],
])("%p cannot be meant, and it is said why", (argv, message) => {
  expect(() => readOptions(argv)).toThrow(new UsageError(message));
});

test("the table shows medians, the fastest round, and each size against the first", () => {
  const small = { rows: 10_000, drainMs: [10, 30, 20], visitUs: [50], waitingMs: [0.5] };
  const big = { rows: 1_000_000, drainMs: [40, 30, 30], visitUs: [100], waitingMs: [0.25] };
  expect(renderTable("sqlite", [small, big]).split("\n").slice(2)).toEqual([
    "| sqlite | 10 000 | 20.0 | 10.0 | 1 | 50 | 50 | 1 | 0.50 | 0.50 | 1 |",
    "| sqlite | 1 000 000 | 30.0 | 30.0 | 1.50 | 100 | 100 | 2.00 | 0.25 | 0.25 | 0.50 |",
  ]);
  expect(renderTable("sqlite", [])).toBe("");
});

test("what is filled in is delivered, with a session each; what is measured is recorded and delivered", async () => {
  const { db, dispose } = await createTestDatabase();
  try {
    await seedPools(db);
    await fill(db, 300, () => undefined);
    const delivered = async () => {
      const [row] = await db.rows<{
        n: number | string;
        sessions: number | string;
        routes: number | string;
      }>(sql`
        select count(*) as n, count(s.id) as sessions, count(distinct o.route) as routes
        from outbox o left join meta_tracking_sessions s on s.tracking_token = o.tracking_token
        where o.status = 'delivered' and o.route = ${PIXEL}`);
      return [Number(row?.n), Number(row?.sessions), Number(row?.routes)];
    };
    expect(await delivered()).toEqual([300, 300, 1]);
    const [costs] = await measure([{ db, rows: 300 }], 1, () => undefined);
    expect([costs?.drainMs, costs?.visitUs, costs?.waitingMs].map((values) => values?.length)).toEqual([
      1, 1, 1,
    ]);
    // One round that counts and five that do not, sixteen times 64 visits each.
    expect(await delivered()).toEqual([300 + 6 * 1_024, 300 + 6 * 1_024, 1]);
  } finally {
    await dispose();
  }
});
