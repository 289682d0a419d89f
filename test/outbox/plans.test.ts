import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type SQL, sql } from "drizzle-orm";
import type { Database, Tx } from "../../src/db/database.ts";
import type { PlaceholderValues } from "../../src/db/prepared-statement.ts";
import { chatBackOffMs, rateLimitScope } from "../../src/funnel/chat-rate-limit.ts";
import { ALONE_AFTER } from "../../src/outbox/batch-size.ts";
import { filterCondition } from "../../src/outbox/filter.ts";
import { claim, reclaimExpired, renewLeases } from "../../src/outbox/lease.ts";
import { makeRetriesDue } from "../../src/outbox/make-retries-due.ts";
import { createMisdatedSweep } from "../../src/outbox/misdated.ts";
import { newestIds } from "../../src/outbox/outbox-rows.ts";
import { waitingRoutes } from "../../src/outbox/waiting-routes.ts";
import { createLog } from "../../src/platform/log.ts";
import { deletePool } from "../../src/pools/manage-pools.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addRows, testSecrets } from "../support/outbox.ts";
import { addPool } from "../support/pools.ts";

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
  await addRows(own.db, 20_000, { status: "delivered" });
  await addRows(own.db, 300, { status: "pending" });
  await addRows(own.db, 300, { status: "sending", leaseId: "theirs", leaseUntil: new Date(0) });
  // Postgres does so by itself; SQLite never does.
  if (testDialect === "postgres") await own.db.transaction((tx) => tx.rows(sql`analyze`));
});
afterAll(() => own.dispose());

/** How the database would find the rows of a statement: every line of its plan that names the outbox. */
async function planOf(statement: SQL, values?: PlaceholderValues): Promise<string[]> {
  const explain =
    testDialect === "postgres" ? sql`explain ${statement}` : sql`explain query plan ${statement}`;
  const lines = await own.db.rows<Record<string, unknown>>(explain, values);
  return lines
    .map((line) => String(line.detail ?? line["QUERY PLAN"]))
    .filter((line) => /outbox|progress|event|\bo\b/.test(line));
}

interface Statement {
  readonly sql: SQL;
  readonly values: PlaceholderValues | undefined;
}

/** The statements that some work runs by hand, as it ran them. */
async function statementsOf(work: (db: Database) => Promise<unknown>): Promise<Statement[]> {
  const statements: Statement[] = [];
  const noted = <R extends Pick<Tx, "rows">>(reader: R): R => ({
    ...reader,
    rows: <T>(sql: SQL, values?: PlaceholderValues) => {
      statements.push({ sql, values });
      return reader.rows<T>(sql, values);
    },
  });
  await work({
    ...noted(own.db),
    transaction: (inside) => own.db.transaction((tx) => inside(noted(tx))),
  });
  return statements;
}

const WHOLE_TABLE =
  /^SCAN (outbox_progress|outbox_events|progress|event|o)$|Seq Scan on outbox_(progress|events)/;

describe(`plans on ${testDialect}, where nearly everything was delivered`, () => {
  test.each([
    [
      "claim",
      "outbox_pending_idx",
      (db: Database) => claim(db, "x", { destination: "meta", route: "123", limit: 10 }),
    ],
    ["the look at what waits", "outbox_pending_idx", (db: Database) => waitingRoutes(db, db.dialect)],
    [
      "retries made due after an outage",
      "outbox_pending_idx",
      (db: Database) => makeRetriesDue(db, { destination: "meta", route: "123" }, ALONE_AFTER),
    ],
    [
      "the look for what a clock that was ahead put off",
      "outbox_pending_idx",
      (db: Database) => createMisdatedSweep({ db, log: createLog("silent") }).run(),
    ],
    ["the takeover of lapsed leases", "outbox_sending_idx", reclaimExpired],
    ["the renewal of leases", "outbox_sending_idx", (db: Database) => renewLeases(db, ["a", "b"])],
    [
      "the look for a chat's rate limit, before every message,",
      "outbox_events_bot_user_idx",
      (db: Database) => chatBackOffMs(db, { id: 20_500 }),
    ],
    [
      "the question whose rate limit a 429 tells of",
      "outbox_pending_idx",
      (db: Database) => rateLimitScope(db, "1", { id: 20_500 }),
    ],
  ])("%s goes through %s alone", async (_, index, work) => {
    const [statement] = await statementsOf(work);
    if (!statement) throw new Error("no statement was run");
    const plan = await planOf(statement.sql, statement.values);
    expect(plan.join("\n")).toContain(index);
    expect(plan.filter((line) => WHOLE_TABLE.test(line))).toEqual([]);
  });

  test.skipIf(testDialect === "postgres").each([
    ["the look for waiting routes", (db: Database) => waitingRoutes(db, db.dialect)],
    ["the operators' view of what waits", (db: Database) => db.rows(sql`select * from outbox_backlog`)],
  ])("%s looks routes up by their names, and not each among all of them", async (_, work) => {
    const [statement] = await statementsOf(work);
    if (!statement) throw new Error("no statement was run");
    const plan = (await planOf(statement.sql, statement.values)).join("\n");
    expect(plan).toContain("outbox_routes_destination_route_unique (destination=? AND route=?)");
    expect(plan).not.toContain("outbox_routes_destination_route_unique (destination=?)");
  });

  test.skipIf(testDialect === "postgres")(
    "whose rate limit a 429 tells of is asked of what is not due yet, and not of all that waits for the bot",
    async () => {
      const [statement] = await statementsOf((db) => rateLimitScope(db, "1", { id: 20_500 }));
      if (!statement) throw new Error("no statement was run");
      const plan = (await planOf(statement.sql, statement.values)).join("\n");
      expect(plan).toContain(
        "outbox_pending_idx (destination=? AND route=? AND available_at>? AND available_at<?)",
      );
    },
  );

  test("leases that lapsed, and such as no clock of ours gives, are each found by one look", async () => {
    const statements = await statementsOf(reclaimExpired);
    expect(statements).toHaveLength(2);
    for (const { sql, values } of statements) {
      const plan = (await planOf(sql, values)).join("\n");
      expect(plan).toMatch(
        testDialect === "postgres"
          ? /Index( Only)? Scan (using|on) outbox_sending_idx/
          : /SEARCH outbox_progress USING INDEX outbox_sending_idx \(lease_until[<>]\?\)/,
      );
    }
  });

  test("whether anything of a pool waits is asked of what waits alone", async () => {
    await addPool(own.db, { slug: "unused", metaPixelId: null });
    const deps = { secrets: testSecrets, now: () => new Date() };
    const statements = await statementsOf((db) => deletePool({ ...deps, db }, "test", "unused"));
    expect(statements).toHaveLength(2);
    const plans = await Promise.all(statements.map(({ sql, values }) => planOf(sql, values)));
    expect(plans.flat().filter((line) => WHOLE_TABLE.test(line))).toEqual([]);
    expect(plans.join("\n")).toContain("outbox_sending_idx");
    expect(plans.join("\n")).toContain("outbox_pending_idx");
  });

  test("what belongs to a payment is found without looking through everything", async () => {
    const plan = await planOf(
      sql`select id from outbox where ${filterCondition(own.db, { paymentId: "0193f2a5" })}`,
    );
    expect(plan.join("\n")).toContain("outbox_events_payment_idx");
  });

  test("a page of what waits is found without reading what else waits", async () => {
    const plan = await planOf(newestIds(own.db, { status: "pending" }, 20_200, 51).getSQL());
    const index = testDialect === "postgres" ? /outbox_pending_idx/ : /COVERING INDEX outbox_pending_idx/;
    expect(plan.join("\n")).toMatch(index);
    expect(plan.filter((line) => WHOLE_TABLE.test(line))).toEqual([]);
  });
});
