import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { LONGEST_OPEN_MS } from "../../src/outbox/back-off.ts";
import { changeRoute, pauseRoute } from "../../src/outbox/change-route.ts";
import { filterCondition } from "../../src/outbox/filter.ts";
import { findHold } from "../../src/outbox/holds.ts";
import { sampleOutbox } from "../../src/outbox/sample.ts";
import { outboxBacklog, readOutboxState } from "../../src/outbox/status.ts";
import { firstIdAt } from "../../src/platform/ids.ts";
import { createLog } from "../../src/platform/log.ts";
import { createRetention } from "../../src/retention/retention.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addRows } from "../support/outbox.ts";
import { addPool } from "../support/pools.ts";

let own: TestDatabase;
let poolId: number;
beforeAll(async () => {
  own = await createTestDatabase();
  poolId = (await addPool(own.db, { slug: "summer", totalRedirects: 2 })).pool.id;
});
afterAll(() => own.dispose());

/** A view's rows, with Postgres' 64-bit numbers as numbers and times as ISO text. */
async function view(statement: string) {
  const rows = await own.db.rows<Record<string, unknown>>(sql.raw(statement));
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([key, value]) => [key, plain(value)])),
  );
}

function plain(value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value);
  const instant = /^([\d-]{10}) ([\d:.]+)\+00$/.exec(value);
  return instant ? new Date(`${instant[1]}T${instant[2]}Z`).toISOString() : value;
}

const DAY = new Date("2026-03-01T23:30:00.123Z");

describe(`operators' views on ${testDialect}`, () => {
  test("outbox_status counts by destination, pool, event and status", async () => {
    await addRows(own.db, 3, { status: "delivered", poolId, createdAt: DAY });
    await addRows(own.db, 2, { status: "dead", poolId, eventName: "Purchase", createdAt: DAY });
    await addRows(own.db, 1, { status: "pending", createdAt: DAY });
    expect(await view("select * from outbox_status order by events desc")).toEqual([
      {
        destination: "meta",
        pool: "summer",
        event_name: "PageView",
        status: "delivered",
        events: 3,
        oldest_created_at: "2026-03-01T23:30:00.123Z",
        newest_created_at: "2026-03-01T23:30:00.123Z",
      },
      expect.objectContaining({ pool: "summer", event_name: "Purchase", status: "dead", events: 2 }),
      expect.objectContaining({ pool: null, status: "pending", events: 1 }),
    ]);
    expect(await view("select events from outbox_status where status = 'dead'")).toEqual([{ events: 2 }]);
  });

  test("outbox_backlog says of every route how much waits, for how long, and why", async () => {
    const old = new Date(Date.now() - 600_000);
    await addRows(own.db, 2, { route: "777", createdAt: old, availableAt: old });
    await addRows(own.db, 1, { route: "777", availableInMs: 3_600_000 });
    await addRows(own.db, 1, { route: "777", status: "sending", leaseUntil: new Date() });
    await own.db.transaction(async (tx) => {
      await pauseRoute(tx, own.db, { destination: "meta", route: "777" }, "the token was refused");
      await changeRoute(
        tx,
        own.db,
        { destination: "meta", route: "888" },
        { kind: "throttled", forMs: 60_000 },
      );
    });
    const rows = await view("select * from outbox_backlog where route in ('777', '888') order by route");
    expect(rows).toEqual([
      expect.objectContaining({
        destination: "meta",
        route: 777,
        state: "paused",
        waiting: 3,
        due: 2,
        sending: 1,
        oldest_created_at: old.toISOString(),
        next_at: old.toISOString(),
        paused_reason: "the token was refused",
        throttled_until: null,
        failures: 0,
      }),
      expect.objectContaining({
        route: 888,
        state: "throttled",
        waiting: 0,
        due: 0,
        oldest_created_at: null,
      }),
    ]);
    expect(Number(rows[0]?.oldest_age_seconds)).toBeGreaterThanOrEqual(600);
  });

  test.each([
    ["resting", LONGEST_OPEN_MS - 5_000],
    ["ready", LONGEST_OPEN_MS + 5_000],
  ] as const)("a route is %s to whoever looks where its rest is to last %d ms", async (state, restMs) => {
    const key = { destination: "meta", route: "999" } as const;
    const { now, plusMs } = own.db.dialect;
    const { outboxRoutes } = own.db.tables;
    const openUntil = sql<Date>`${plusMs(now, restMs)}`;
    await own.db.transaction((tx) =>
      tx.insert(outboxRoutes).values({ ...key, failures: 5, openUntil, updatedAt: new Date() }),
    );
    const [backlog] = (await outboxBacklog(own.db)).filter(({ route }) => route === key.route);
    const { held } = await sampleOutbox(own.db);
    const states = [
      backlog?.state,
      held.find(({ route }) => route === key.route)?.state ?? "ready",
      (await findHold(own.db, own.db, key, Date.now()))?.state ?? "ready",
    ];
    expect(states).toEqual([state, state, state]);
    await own.db.transaction((tx) => tx.delete(outboxRoutes));
  });

  // An operator's sqlite3 may be years older than the SQLite in Bun, and says nothing of a word that it does not know.
  test.skipIf(testDialect === "postgres" || Bun.which("sqlite3") === null)(
    "outbox_backlog tells the machine's own sqlite3 the same",
    async () => {
      await addRows(own.db, 1, { route: "aged", createdAt: new Date(Date.now() - 3_600_000) });
      const statement =
        "select waiting, due, oldest_age_seconds > 3500 from outbox_backlog where route = 'aged'";
      const { stdout } = Bun.spawnSync(["sqlite3", "-readonly", own.url, statement]);
      expect(stdout.toString()).toBe("1|1|1\n");
    },
  );

  test("outbox_dead shows each lost event with the other side's words", async () => {
    await addRows(own.db, 1, {
      status: "expired",
      poolId,
      eventId: "evt_old",
      lastError: "too old",
      attempts: 4,
      createdAt: DAY,
    });
    const [row] = await view("select * from outbox_dead where event_id = 'evt_old'");
    expect(row).toMatchObject({
      pool: "summer",
      status: "expired",
      last_error: "too old",
      attempts: 4,
      created_at: "2026-03-01T23:30:00.123Z",
    });
    expect(await view("select * from outbox_dead where status not in ('dead', 'expired')")).toEqual([]);
  });

  test("funnel_daily and pool_performance follow a pool from click to money", async () => {
    const { sessions, funnelStates, payments } = own.db.tables;
    const nextDay = new Date("2026-03-02T00:10:00Z");
    const times = { createdAt: DAY, updatedAt: DAY };
    await own.db.transaction(async (tx) => {
      for (const token of ["1", "2"]) {
        const ids = { trackingToken: token.repeat(32), rootEventId: `evt_${token}` };
        await tx.insert(sessions).values({ ...ids, poolId, botId: 1, pageviewTs: DAY, ...times });
      }
      for (const [state, createdAt] of [
        ["started", DAY],
        ["checkout_started", DAY],
        ["paid", nextDay],
        ["delivered", nextDay],
      ] as const) {
        await tx.insert(funnelStates).values({ dedupKey: state, state, poolId, createdAt });
      }
      const sale = { provider: "generic", status: "paid" as const, poolId, paidAt: nextDay, ...times };
      await tx
        .insert(payments)
        .values({ ...sale, id: "p1", providerRef: "1", amountMinor: 1990, currency: "BRL" });
    });
    const days = await view(
      `select ${testDialect === "postgres" ? "day::text" : "day"}, pool, clicks, starts, checkouts, paid, delivered, revenue_minor, currency from funnel_daily order by day`,
    );
    expect(days).toEqual([
      {
        day: "2026-03-01",
        pool: "summer",
        clicks: 2,
        starts: 1,
        checkouts: 1,
        paid: 0,
        delivered: 0,
        revenue_minor: null,
        currency: null,
      },
      {
        day: "2026-03-02",
        pool: "summer",
        clicks: 0,
        starts: 0,
        checkouts: 0,
        paid: 1,
        delivered: 1,
        revenue_minor: 1990,
        currency: "BRL",
      },
    ]);
    const [pool] = await view("select * from pool_performance where pool = 'summer'");
    expect(pool).toMatchObject({
      total_redirects: 2,
      clicks: 2,
      starts: 1,
      paid: 1,
      delivered: 1,
      revenue_minor: 1990,
      currency: "BRL",
      paid_per_100_clicks: 50,
      pageviews_delivered: 3,
      purchases_delivered: 0,
      events_dead: 3,
      last_click_at: "2026-03-01T23:30:00.123Z",
    });
  });
});

test(`a pool earns as much by the click after retention as before it, on ${testDialect}`, async () => {
  const { db, dispose } = await createTestDatabase();
  const { sessions, payments } = db.tables;
  const { pool } = await addPool(db, { slug: "old", totalRedirects: 20 });
  for (const daysAgo of [40, 1]) {
    const at = new Date(Date.now() - daysAgo * 86_400_000);
    const times = { createdAt: at, updatedAt: at };
    const visits = Array.from({ length: 10 }, (_, n) => ({
      trackingToken: `${firstIdAt(at.getTime()).slice(0, -1)}${n}`,
      rootEventId: `evt_${daysAgo}_${n}`,
      poolId: pool.id,
      botId: 1,
      pageviewTs: at,
      ...times,
    }));
    const sale = { provider: "generic", poolId: pool.id, status: "paid" as const, paidAt: at, ...times };
    await db.transaction(async (tx) => {
      await tx.insert(sessions).values(visits);
      const id = `sale-${daysAgo}`;
      await tx.insert(payments).values({ ...sale, id, providerRef: id, amountMinor: 1_990, currency: "BRL" });
    });
  }
  const performance = async () => {
    const figures = sql`select clicks, paid, paid_per_100_clicks from pool_performance`;
    return (await db.rows<object>(figures)).map((row) => Object.values(row).map(Number));
  };
  expect(await performance()).toEqual([[20, 2, 10]]);
  await createRetention({ db, log: createLog("silent"), days: 30 }).run();
  expect(await performance()).toEqual([[10, 2, 10]]);
  await dispose();
});

test("what the API and the command line count piece by piece is what the views say, few or many waiting", async () => {
  const old = new Date(Date.now() - 600_000);
  const soon = new Date(Date.now() + 3_600_000);
  await addRows(own.db, 2, { route: "444/TEST1", createdAt: old, availableAt: old });
  await addRows(own.db, 1, { route: "444/TEST1", status: "sending", createdAt: old, leaseUntil: soon });
  await addRows(own.db, 3, { route: "444", status: "delivered", poolId, createdAt: old });
  await own.db.transaction((tx) =>
    changeRoute(tx, own.db, { destination: "meta", route: "444" }, { kind: "throttled", forMs: 60_000 }),
  );
  const compare = async () => {
    const byPieces = await readOutboxState(own.db, { delivered: true });
    const undelivered = await readOutboxState(own.db, { delivered: false });
    const events = await view("select * from outbox_status");
    const routes = await view("select * from outbox_backlog");
    const sorted = (rows: readonly object[]) =>
      rows.map((row) => JSON.stringify(Object.entries({ ...row, oldest_age_seconds: 0 }).sort())).sort();
    expect(sorted(byPieces.events)).toEqual(sorted(events));
    expect(sorted(undelivered.events)).toEqual(sorted(events.filter(({ status }) => status !== "delivered")));
    for (const { routes: counted } of [byPieces, undelivered]) {
      expect(sorted(counted.map((row) => ({ ...row, route: plain(row.route) })))).toEqual(sorted(routes));
    }
  };
  await compare();
  const { instant } = own.db.dialect;
  await own.db.transaction((tx) =>
    tx.rows(sql`
      with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 50001)
      insert into outbox_progress (id, destination, route, event_name, pool_id, available_at, created_at)
      select 1000000 + n, 'meta', '444', 'PageView', ${sql.raw(String(poolId))},
        case when n > 50000 then ${instant(old)} else ${instant(soon)} end, ${instant(old)}
      from numbers`),
  );
  await compare();
  expect((await outboxBacklog(own.db))[0]?.oldest_age_seconds).toBeGreaterThanOrEqual(600);
});

// Last: to have a statement explained can keep its connection from seeing what is committed afterwards.
describe.if(testDialect === "sqlite")("where SQLite looks for what ended badly", () => {
  const planOf = async (statement: ReturnType<typeof sql>) => {
    const steps = await own.db.rows<{ detail: string }>(sql`explain query plan ${statement}`);
    return steps.map(({ detail }) => detail).join("; ");
  };

  test("the view outbox_dead reads its index, not the whole table", async () => {
    expect(await planOf(sql`select * from outbox_dead`)).toContain("outbox_troubled_idx");
  });

  test.each(["dead", "expired", "discarded"] as const)("a list of %s events does too", async (status) => {
    const { outbox } = own.db.tables;
    const plan = await planOf(
      sql`select ${outbox.id} from ${outbox} where ${filterCondition(own.db, { status })} order by ${outbox.id} desc limit 50`,
    );
    expect(plan).toContain("outbox_troubled_idx");
    expect(plan).not.toContain("TEMP B-TREE");
  });
});
