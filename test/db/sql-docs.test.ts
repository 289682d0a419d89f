import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { eq, getTableName, sql } from "drizzle-orm";
import { tablesOf } from "../../src/db/define-schema.ts";
import { pauseRoute } from "../../src/outbox/change-route.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addRows } from "../support/outbox.ts";
import { addPool } from "../support/pools.ts";
import { type SeededVisitor, seedVisitor } from "../support/seed-visitor.ts";

const PAGE = readFileSync(join(import.meta.dir, "../../docs/sql.md"), "utf8");
const PIXEL = "5550001112223334";
const LEFT = "5550001112223335";

/** The page's questions, each with the statements that this database runs. */
const questions = sections("### ").filter(({ title }) => /^\d+\./.test(title));

function sections(mark: string) {
  const parts = PAGE.split(`\n${mark}`).slice(1);
  return parts.map((part) => {
    const [title = ""] = part.split("\n", 1);
    const text = part.split(/\n#{1,3} /)[0] ?? "";
    return { title, text };
  });
}

function statementOf(text: string): string {
  const blocks = [...text.matchAll(/```sql( \w+)?\n(.*?)```/gs)].filter(
    ([, database]) => database === undefined || database.trim() === testDialect,
  );
  if (blocks.length !== 1) throw new Error(`${blocks.length} blocks for ${testDialect} in: ${text}`);
  return blocks[0]?.[2] ?? "";
}

let own: TestDatabase;
let buyer: SeededVisitor;
let poolId: number;
let waitingSince: Date;
let leftSince: Date;

beforeAll(async () => {
  own = await createTestDatabase();
  const { db } = own;
  const { payments, gateRefusals, outboxAttempts, sessions } = db.tables;
  buyer = await seedVisitor(db);
  await db.transaction(async (tx) => {
    await tx.update(sessions).set({ utmCampaign: "spring" }).where(eq(sessions.trackingToken, buyer.token));
  });
  const paused = await addPool(db, { slug: "summer", metaPixelId: PIXEL, totalRedirects: 90 }, [
    { username: "summer_bot" },
  ]);
  poolId = paused.pool.id;
  const botId = paused.bots[0]?.id ?? 0;
  waitingSince = new Date(Date.now() - 3_600_000);
  await addRows(db, 3, { route: PIXEL, poolId, createdAt: waitingSince, availableAt: waitingSince });
  // A dispatcher took them, died, and there is no other.
  leftSince = new Date(waitingSince.getTime() + 60_000);
  await addRows(db, 2, { route: LEFT, status: "sending", createdAt: leftSince, leaseUntil: leftSince });
  const hour = new Date("2025-03-01T10:00:00Z");
  const at = (minutes: number) => new Date(hour.getTime() + minutes * 60_000);
  const attempt = { destination: "meta" as const, route: PIXEL, durationMs: 12, response: "{}" };
  const sale = { provider: "generic", poolId, botId, currency: "BRL", createdAt: at(0), updatedAt: at(0) };
  await db.transaction(async (tx) => {
    await pauseRoute(tx, db, { destination: "meta", route: PIXEL }, "Meta refuses the token");
    for (const token of ["a", "b"]) {
      const ids = { trackingToken: token.repeat(32), rootEventId: `evt_${token}` };
      const times = { pageviewTs: at(0), createdAt: at(0), updatedAt: at(0) };
      await tx.insert(sessions).values({ ...ids, poolId, botId, utmCampaign: "spring", ...times });
    }
    await tx.insert(payments).values([
      {
        ...sale,
        id: "back",
        providerRef: "ref-back",
        status: "chargeback",
        amountMinor: 1_000,
        trackingToken: "a".repeat(32),
        paidAt: at(1),
        refundedAt: at(90),
      },
      // Retention has removed its visit, and its Purchase, which Meta has.
      {
        ...sale,
        id: "long-ago",
        providerRef: "ref-long-ago",
        status: "paid",
        amountMinor: 300,
        trackingToken: "c".repeat(32),
        metaPurchaseSent: true,
        paidAt: at(2),
      },
      { ...sale, id: "never", providerRef: "ref-never", status: "pending", amountMinor: 7_777 },
    ]);
    await tx.insert(gateRefusals).values([
      { poolId, reason: "param", hour: at(0), total: 40 },
      { poolId, reason: "param", hour: at(60), total: 2 },
      { poolId, reason: "automated", hour: at(0), total: 5 },
    ]);
    await tx.insert(outboxAttempts).values([
      { ...attempt, outboxIds: [1], events: 1, outcome: "transient", status: 500, code: 2, startedAt: at(3) },
      {
        ...attempt,
        outboxIds: [1, 2],
        events: 2,
        outcome: "transient",
        status: 500,
        code: 2,
        startedAt: at(59),
      },
      { ...attempt, outboxIds: [1], events: 1, outcome: "transient", startedAt: at(60) },
      { ...attempt, outboxIds: [1], events: 1, outcome: "delivered", status: 200, startedAt: at(61) },
    ]);
  });
});
afterAll(() => own.dispose());

/** What a statement answers, as plain values: 64-bit numbers as numbers, days and times as ISO text. */
async function answer(statement: string): Promise<Record<string, unknown>[]> {
  const rows = await own.db.rows<Record<string, unknown>>(sql.raw(statement));
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([key, value]) => [key, plain(key, value)])),
  );
}

function plain(key: string, value: unknown): unknown {
  if (/_at$|^since$/.test(key) && value !== null) return isoTime(value);
  if (key === "day") return String(value instanceof Date ? value.toISOString() : value).slice(0, 10);
  return typeof value === "string" && /^\d+(\.\d+)?$/.test(value) && value.length < 16
    ? Number(value)
    : value;
}

function isoTime(value: unknown): string {
  if (value instanceof Date || typeof value === "number") return new Date(value).toISOString();
  const text = String(value)
    .replace(" ", "T")
    .replace(/([+-]\d\d)$/, "$1:00");
  return new Date(text).toISOString();
}

/** What the page's queries answer about the rows above. */
const ANSWERS: Readonly<Record<string, () => unknown>> = {
  "1. Is money being lost now?": () => [
    {
      trouble: "paused",
      destination: "meta",
      pool: null,
      what: PIXEL,
      events: 3,
      since: waitingSince.toISOString(),
    },
    {
      trouble: "ready",
      destination: "meta",
      pool: null,
      what: LEFT,
      events: 2,
      since: leftSince.toISOString(),
    },
    {
      trouble: "dead",
      destination: "meta",
      pool: buyer.slug,
      what: "Purchase",
      events: 1,
      since: "2025-03-01T12:00:06.000Z",
    },
  ],
  "2. What is dead, and why?": () => [
    {
      last_error: "Invalid parameter",
      destination: "meta",
      event_name: "Purchase",
      status: "dead",
      events: 1,
      example_id: expect.any(Number),
    },
  ],
  "3. Which pixel is paused?": () => [
    {
      route: PIXEL,
      pool: "summer",
      paused_reason: "Meta refuses the token",
      paused_at: expect.any(String),
      waiting: 3,
      oldest_created_at: waitingSince.toISOString(),
    },
  ],
  "4. What has waited longest?": () => [
    {
      destination: "meta",
      route: PIXEL,
      state: "paused",
      waiting: 3,
      due: 3,
      sending: 0,
      oldest_age_seconds: expect.any(Number),
      next_at: waitingSince.toISOString(),
    },
    expect.objectContaining({ route: LEFT, state: "ready", waiting: 0, sending: 2 }),
  ],
  "5. Which purchases has Meta not got?": () => [
    {
      payment_id: buyer.paymentId,
      provider: "generic",
      provider_ref: `ref-${buyer.paymentId}`,
      amount_minor: 4_990,
      currency: "BRL",
      paid_at: "2025-03-01T12:00:06.000Z",
      purchase: "dead",
      attempts: 1,
      last_error: "Invalid parameter",
    },
    expect.objectContaining({ payment_id: "back", purchase: "no event", attempts: null }),
  ],
  "6. What did each campaign earn, day by day?": () => [
    {
      day: "2025-03-01",
      campaign: "spring",
      currency: "BRL",
      sales: 2,
      value_minor: 5_990,
      gave_back_minor: 1_000,
    },
    {
      day: "2025-03-01",
      campaign: "(none)",
      currency: "BRL",
      sales: 1,
      value_minor: 300,
      gave_back_minor: 0,
    },
  ],
  "7. Which bot turns clicks into buyers?": () => [
    { bot: expect.stringMatching(/^bot_/), clicks: 1, buyers: 1, buyers_per_100_clicks: 100 },
    { bot: "summer_bot", clicks: 2, buyers: 1, buyers_per_100_clicks: 50 },
  ],
  "8. What happened to one visitor?": () =>
    [
      [0, "PageView to meta: delivered", `evt_${buyer.token}`],
      [0, "click", "spring"],
      [1, "browser cookies", expect.stringMatching(/^fb\.1\./)],
      [3, "started", ""],
      [4, "offer_viewed", ""],
      [6, "Purchase to meta: dead", "Invalid parameter"],
      [6, "delivery to telegram: delivered", `delivery_${buyer.paymentId}`],
      [6, "paid", buyer.paymentId],
      [8, "delivered", buyer.paymentId],
    ].map(([seconds, what, detail]) => ({
      happened_at: `2025-03-01T12:00:0${seconds}.000Z`,
      what,
      detail,
    })),
  "9. When did requests fail, and with which Graph code?": () => [
    {
      hour: "2025-03-01 11:00",
      destination: "meta",
      outcome: "transient",
      http: null,
      code: null,
      requests: 1,
      events: 1,
    },
    {
      hour: "2025-03-01 10:00",
      destination: "meta",
      outcome: "transient",
      http: 500,
      code: 2,
      requests: 2,
      events: 3,
    },
  ],
  "10. Which payments went back?": () => [
    {
      status: "chargeback",
      payment_id: "back",
      provider: "generic",
      provider_ref: "ref-back",
      amount_minor: 1_000,
      currency: "BRL",
      pool: "summer",
      campaign: "spring",
      paid_at: "2025-03-01T10:01:00.000Z",
      refunded_at: "2025-03-01T11:30:00.000Z",
    },
  ],
  "11. Whom does the gate refuse?": () => [
    { pool: "summer", reason: "param", refusals: 42, clicks_let_in: 90 },
    { pool: "summer", reason: "automated", refusals: 5, clicks_let_in: 90 },
  ],
};

describe(`docs/sql.md on ${testDialect}`, () => {
  test("asks the questions whose answers are known here, and no other", () => {
    expect(questions.map(({ title }) => title)).toEqual(Object.keys(ANSWERS));
  });

  for (const { title, text } of questions) {
    test(`"${title}" is answered rightly, as written`, async () => {
      const expected = ANSWERS[title]?.();
      const rows = await answer(statementOf(text));
      // Rows of one second have no order of their own: the two databases sort capitals differently.
      expect(title.startsWith("8.") ? sorted(rows) : rows).toEqual(
        title.startsWith("8.") ? sorted(expected) : expected,
      );
    });
  }

  test("a healthy database answers the first question with nothing", async () => {
    const healthy = await createTestDatabase();
    await addRows(healthy.db, 2, { status: "delivered" });
    await addRows(healthy.db, 1);
    const [first] = questions;
    expect(await healthy.db.rows(sql.raw(statementOf(first?.text ?? "")))).toEqual([]);
    await healthy.dispose();
  });

  for (const { title, text } of sections("### ").filter(({ title }) => !/^\d+\./.test(title))) {
    test(`every column of ${title} is explained, in its order`, async () => {
      const explained = [...text.matchAll(/^\| `(\w+)`/gm)].map((found) => found[1]);
      expect(explained).toEqual(await columnsOf(title));
    });
  }

  test("every table is named", () => {
    const tables = tablesOf(own.db.tables).map((table) => getTableName(table));
    const [section] = sections("## ").filter(({ title }) => title === "The tables");
    const named = [...(section?.text ?? "").matchAll(/^\| `(\w+)`/gm)].map((found) => found[1] ?? "");
    expect([...named].sort()).toEqual([...tables].sort());
  });
});

function sorted(rows: unknown): unknown {
  if (!Array.isArray(rows)) return rows;
  return rows.toSorted((a, b) => `${a.happened_at} ${a.what}`.localeCompare(`${b.happened_at} ${b.what}`));
}

async function columnsOf(view: string): Promise<string[]> {
  const rows = await own.db.rows<{ name: string }>(
    testDialect === "postgres"
      ? sql`select column_name as name from information_schema.columns
          where table_schema = 'public' and table_name = ${view} order by ordinal_position`
      : sql`select name from pragma_table_info(${view})`,
  );
  return rows.map(({ name }) => name);
}
