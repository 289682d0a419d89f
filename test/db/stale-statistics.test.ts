import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type SQL, sql } from "drizzle-orm";
import { readConfig } from "../../src/config.ts";
import type { Database, Tx } from "../../src/db/database.ts";
import type { PlaceholderValues } from "../../src/db/prepared-statement.ts";
import { createExpireWaiting } from "../../src/outbox/expire-waiting.ts";
import { reclaimExpired, renewLeases } from "../../src/outbox/lease.ts";
import { makeRetriesDue } from "../../src/outbox/make-retries-due.ts";
import { createMisdatedSweep } from "../../src/outbox/misdated.ts";
import { listOutbox } from "../../src/outbox/outbox-rows.ts";
import { countReplay } from "../../src/outbox/replay.ts";
import { waitingRoutes } from "../../src/outbox/waiting-routes.ts";
import { routeNames } from "../../src/overview/route-names.ts";
import { readTrouble } from "../../src/overview/trouble.ts";
import { readUnreportedSales } from "../../src/overview/unreported-sales.ts";
import { newId } from "../../src/platform/ids.ts";
import { createLog } from "../../src/platform/log.ts";
import { eraseEvents, findEvents } from "../../src/privacy/outbox-events.ts";
import { countFunnel } from "../../src/rollups/count-funnel.ts";
import { latestVisits } from "../../src/tracking/latest-visits.ts";
import { timelineByEventId } from "../../src/tracking/timeline.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";

/** Of visits, of what each bought, and of events in each of four states. */
const ROWS = 600;
const EVENTS = 4 * ROWS;
/** How often each event may be read or compared: by one look after the other, though not each with each other one. */
const MOST_LOOKS = 40;

const TABLES = ["outbox_progress", "outbox_events", "meta_tracking_sessions", "payments", "funnel_states"];
const NOW = Date.parse("2026-03-01T12:30:00Z");

/** What follows the time in every token. */
const REST = "70008000000000000000";
const VISITOR = (NOW - 1_000).toString(16).padStart(12, "0") + REST;

/** A token whose time is that many seconds before `NOW`. */
const token = (n: string) => `lpad(to_hex(${NOW} - 1000 * ${n}), 12, '0') || '${REST}'`;

async function fill(db: Database, begin: number): Promise<void> {
  const rows = `generate_series(${begin + 1}, ${begin + ROWS}) i`;
  const at = `(to_timestamp(${NOW / 1000}) - (i - ${begin}) * interval '1 second')`;
  const states = [
    `'pending', 1, now() + interval '1 hour', null, null, null, now()`,
    `'pending', 0, now() + interval '90 days', null, null, null, now()`,
    `'sending', 1, now(), now() - interval '1 minute', 'lease', null, now()`,
    `'dead', 1, now(), null, null, 'refused', now()`,
  ];
  const statements = [
    `insert into meta_tracking_sessions (tracking_token, root_event_id, pool_id, bot_id, pageview_ts, utm_campaign, created_at, updated_at)
     select ${token(`(i - ${begin})`)}, 'root' || i, 1, 1, ${at}, 'c' || i % 9, ${at}, ${at} from ${rows}`,
    `insert into payments (id, provider, provider_ref, status, amount_minor, currency, tracking_token, paid_at, created_at, updated_at)
     select md5(i::text), 'generic', i::text, 'paid', 100, 'BRL', ${token(`(i - ${begin})`)}, now(), now(), now() from ${rows}`,
    `insert into funnel_states (dedup_key, state, tracking_token, payment_id, created_at)
     select 'paid_' || i, 'paid', ${token(`(i - ${begin})`)}, md5(i::text), ${at} from ${rows}`,
    ...states.flatMap((state, k) => [
      `insert into outbox_events (id, destination, event_id, tracking_token, payload)
       select 4 * i + ${k}, 'meta', 'evt_' || ${token(`(i - ${begin})`)} || ${k === 0 ? "''" : `'${k}'`},
         ${token(`(i - ${begin})`)}, '{}' from ${rows}`,
      `insert into outbox_progress (id, destination, route, event_name, status, attempts, available_at, lease_until, lease_id, last_error, created_at)
       select 4 * i + ${k}, 'meta', '777', 'Kind' || i, ${state} from ${rows}`,
    ]),
  ];
  await db.transaction(async (tx) => {
    for (const statement of statements) await tx.rows(sql.raw(statement));
  });
}

interface Node {
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Join Filter"?: number;
  readonly Plans?: readonly Node[];
}

/** The rows that a plan's nodes gave on or compared, every time they ran. */
function looksOf(node: Node): number {
  const removed = (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Join Filter"] ?? 0);
  const own = (node["Actual Rows"] + removed) * node["Actual Loops"];
  return (node.Plans ?? []).reduce((sum, plan) => sum + looksOf(plan), own);
}

class Undone extends Error {}

/**
 * How many rows some work reads or compares. Everything runs in one transaction, which knows what was read of its tables
 * and is undone; what hand-written statements compare besides, their plans tell.
 */
async function looks(db: Database, work: (db: Database) => Promise<unknown>): Promise<number> {
  let total = 0;
  const inside = db.transaction(async (tx) => {
    const rows: Tx["rows"] = async <T>(statement: SQL, values?: PlaceholderValues) => {
      total += await compared(tx, statement, values);
      return tx.rows<T>(statement, values);
    };
    const noted: Tx = { ...tx, rows };
    const before = await readSoFar(tx);
    await work({ ...db, ...noted, transaction: (part) => part(noted) });
    total += (await readSoFar(tx)) - before;
    throw new Undone();
  });
  await inside.catch((error) => {
    if (!(error instanceof Undone)) throw error;
  });
  return total;
}

async function compared(tx: Tx, statement: SQL, values?: PlaceholderValues): Promise<number> {
  await tx.rows(sql`savepoint explained`);
  const explain = sql`explain (analyze, timing off, format json) ${statement}`;
  const [row] = await tx.rows<{ "QUERY PLAN": readonly { readonly Plan: Node }[] }>(explain, values);
  await tx.rows(sql`rollback to savepoint explained`);
  return (row?.["QUERY PLAN"] ?? []).reduce((sum, { Plan }) => sum + looksOf(Plan), 0);
}

async function readSoFar(tx: Tx): Promise<number> {
  const [read] = await tx.rows<{ n: string }>(
    sql`select sum(seq_tup_read + idx_tup_fetch) as n from pg_stat_xact_user_tables`,
  );
  return Number(read?.n);
}

const log = createLog("silent");
const eventIds = async (db: Database) => {
  const { outboxEvents } = db.tables;
  const rows = await db.select({ id: outboxEvents.id }).from(outboxEvents).limit(ROWS);
  return rows.map(({ id }) => id);
};

/** Gives each event that waits a route of its own, and each route a row. */
async function scatter(db: Database): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.rows(sql`update outbox_progress set route = id::text where status = 'pending'`);
    await tx.rows(
      sql`insert into outbox_routes (destination, route, updated_at) select distinct destination, route, now() from outbox_progress`,
    );
  });
}

const WORK: Readonly<Record<string, (db: Database) => Promise<unknown>>> = {
  "renewing leases": (db) => renewLeases(db, ["lease"]),
  "taking lapsed leases back": (db) => reclaimExpired(db),
  "making a route's retries due": (db) => makeRetriesDue(db, { destination: "meta", route: "777" }),
  "the look for waiting routes": async (db) => {
    await scatter(db);
    await waitingRoutes(db, db.dialect);
  },
  "the operators' view of what waits": async (db) => {
    await scatter(db);
    await db.rows(sql`select * from outbox_backlog`);
  },
  "making due what a clock put off": (db) => createMisdatedSweep({ db, log }).run(),
  "looking for what is too old": async (db) => {
    await db.transaction((tx) =>
      tx.insert(db.tables.outboxRoutes).values({
        destination: "meta",
        route: "777",
        pausedAt: new Date(),
        updatedAt: new Date(),
      }),
    );
    const send = () => Promise.reject(new Error("nothing is sent"));
    const meta = { maxBatch: 1, isExpired: () => false, send };
    await createExpireWaiting({ db, log, adapters: { meta }, onSettled: async () => undefined }).run();
  },
  "a page of what waits": (db) => listOutbox(db, { status: "pending" }, { limit: 10, cursor: 6 * ROWS }),
  "a page of a visitor's events": (db) => listOutbox(db, { trackingToken: VISITOR }, { limit: 10 }),
  "an event to be discarded": (db) => countReplay(db, "discard", { filter: { eventId: `evt_${VISITOR}` } }),
  "a page of visits": (db) => latestVisits(db, { limit: ROWS, before: null }),
  "the visitor of an event": (db) => timelineByEventId(db, `evt_${VISITOR}`),
  "what is in trouble": async (db) => readTrouble(db, await routeNames(db)),
  "sales that were not reported": (db) => readUnreportedSales(db, readConfig({})),
  "an hour's steps": (db) =>
    countFunnel(db, { fromMs: NOW - 3_600_000, toMs: NOW + 1_000 }, (work) => work()),
  "finding a person's events": (db) =>
    findEvents(db, { tokens: [VISITOR], botUserIds: [1], paymentIds: [newId()] }),
  "erasing events": async (db) => {
    const ids = await eventIds(db);
    await db.transaction((tx) => eraseEvents(tx, db, ids));
  },
};

// Statistics are as old as the last autovacuum. Of a table that was emptied, Postgres believes that it has one row, and
// that it is as quickly read whole as by an index.
describe.skipIf(testDialect === "sqlite")("with statistics of a time when the tables were empty", () => {
  let own: TestDatabase;
  beforeAll(async () => {
    own = await createTestDatabase();
    for (const table of TABLES)
      await own.db.rows(sql.raw(`alter table ${table} set (autovacuum_enabled = off)`));
    await fill(own.db, 0);
    for (const table of TABLES) await own.db.rows(sql.raw(`delete from ${table}`));
    await own.db.rows(sql.raw(`analyze ${TABLES.join(", ")}`));
    await fill(own.db, ROWS);
  });
  afterAll(() => own.dispose());

  test.each(Object.entries(WORK))("%s does not compare each row with each other one", async (_, work) => {
    expect(await looks(own.db, work)).toBeLessThan(MOST_LOOKS * EVENTS);
  });
});
