import { afterEach, beforeEach, describe, expect, setSystemTime, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import fc from "fast-check";
import type { Database } from "../../src/db/database.ts";
import type { AttemptOutcome, Destination, FunnelState } from "../../src/db/vocabulary.ts";
import { fillPayment } from "../../src/payments/fill-payment.ts";
import { HOUR_MS } from "../../src/platform/durations.ts";
import { firstIdAt, newId } from "../../src/platform/ids.ts";
import { createLog } from "../../src/platform/log.ts";
import { type Dimension, type FunnelCount, OTHER_CAMPAIGNS } from "../../src/rollups/funnel-tally.ts";
import { createHourCounter } from "../../src/rollups/hour-counter.ts";
import { countedAt, createRollups } from "../../src/rollups/rollups.ts";
import { createThrottle } from "../../src/rollups/throttle.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";

const HOUR = Date.parse("2025-03-01T12:00:00.000Z");

let own: TestDatabase;
beforeEach(async () => {
  own = await createTestDatabase();
});
afterEach(() => own.dispose());

/** A token of a visit at that time. */
const tokenAt = (atMs: number) => firstIdAt(atMs).slice(0, 12) + newId().slice(12);

async function visit(
  atMs: number,
  campaign: string | null = null,
  poolId = 1,
  trackingToken = tokenAt(atMs),
): Promise<string> {
  const at = new Date(atMs);
  await own.db.transaction(async (tx) => {
    await tx.insert(own.db.tables.sessions).values({
      trackingToken,
      rootEventId: `evt_${trackingToken}`,
      poolId,
      botId: 7,
      pageviewTs: at,
      utmCampaign: campaign,
      createdAt: at,
      updatedAt: at,
    });
  });
  return trackingToken;
}

async function step(state: FunnelState, atMs: number, trackingToken: string | null, paymentId?: string) {
  await own.db.transaction(async (tx) => {
    await tx.insert(own.db.tables.funnelStates).values({
      dedupKey: `${state}:${paymentId ?? newId()}`,
      state,
      poolId: 1,
      botId: 7,
      trackingToken,
      paymentId: paymentId ?? null,
      createdAt: new Date(atMs),
    });
  });
}

async function pay(
  atMs: number,
  token: string | null,
  amountMinor: number,
  currency: string,
): Promise<string> {
  const id = newId();
  const at = new Date(atMs);
  await own.db.transaction(async (tx) => {
    await tx.insert(own.db.tables.payments).values({
      id,
      provider: "generic",
      providerRef: id,
      status: "paid",
      amountMinor,
      currency,
      trackingToken: token,
      paidAt: at,
      createdAt: at,
      updatedAt: at,
    });
  });
  await step("paid", atMs, token, id);
  return id;
}

async function request(
  atMs: number,
  outcome: AttemptOutcome,
  events: number,
  route = "123",
  destination: Destination = "meta",
) {
  await own.db.transaction(async (tx) => {
    await tx.insert(own.db.tables.outboxAttempts).values({
      destination,
      route,
      outboxIds: [],
      events,
      outcome,
      durationMs: 40,
      response: "{}",
      startedAt: new Date(atMs),
    });
  });
}

/** A process that counts. */
const process = () => createRollups({ db: own.db, log: createLog("silent") });

/** Whoever counts gave the last sign of it a minute ago. */
async function ageLease(): Promise<void> {
  const { dialect } = own.db;
  await own.db.transaction((tx) =>
    tx.rows(
      sql`update settings set updated_at = ${dialect.plusMs(dialect.now, -60_000)} where key = 'rollups' returning key`,
    ),
  );
}

/** Counts at once, whoever counted a moment ago. */
async function count(by = process()) {
  await ageLease();
  return by.run();
}

/** As if all that was counted had been so for a while: it is not looked through again. */
async function settleMarks() {
  const { settings } = own.db.tables;
  const [setting] = await own.db.select().from(settings).where(eq(settings.key, "rollups"));
  const value = setting?.value.replace(/"settled":\d+,"newest":(\d+)/g, '"settled":$1,"newest":$1') ?? "";
  await own.db.transaction((tx) => tx.update(settings).set({ value }).where(eq(settings.key, "rollups")));
}

/** The rows of one dimension; every one must tell of the same. */
function funnel(dimension: Dimension = "campaign") {
  const { funnelHourly: f } = own.db.tables;
  return own.db
    .select({
      hour: f.hour,
      campaign: f.key,
      currency: f.currency,
      clicks: f.clicks,
      starts: f.starts,
      paid: f.paid,
      valueMinor: f.valueMinor,
    })
    .from(f)
    .where(eq(f.dimension, dimension))
    .orderBy(f.hour, f.key, f.currency);
}

/** Retention took every visit, and what was counted up to where is forgotten. */
function loseVisitsAndMarks(): Promise<void> {
  const { sessions, settings } = own.db.tables;
  return own.db.transaction(async (tx) => {
    await tx.delete(sessions);
    await tx.delete(settings).where(eq(settings.key, "rollups"));
  });
}

describe(`hourly counts, on ${testDialect}`, () => {
  test("each step counts in the hour in which it happened, under its visit's campaign, and money by currency", async () => {
    const token = await visit(HOUR + 1_000, "summer");
    await visit(HOUR + HOUR_MS - 1, "summer");
    await step("started", HOUR + 5_000, token);
    await pay(HOUR + HOUR_MS + 1_000, token, 4990, "BRL");
    await pay(HOUR + HOUR_MS + 2_000, token, 10, "BRL");
    await pay(HOUR + HOUR_MS + 3_000, null, 700, "USD");
    expect(await count()).toBe(true);
    const none = { clicks: 0, starts: 0, paid: 0, valueMinor: 0 };
    const [first, second] = [new Date(HOUR), new Date(HOUR + HOUR_MS)];
    expect(await funnel()).toEqual([
      { ...none, hour: first, campaign: "summer", currency: "", clicks: 2, starts: 1 },
      { ...none, hour: second, campaign: "", currency: "USD", paid: 1, valueMinor: 700 },
      { ...none, hour: second, campaign: "summer", currency: "BRL", paid: 2, valueMinor: 5000 },
    ]);
    expect(
      (await funnel("pool")).map(({ campaign, currency, clicks, valueMinor }) => [
        campaign,
        currency,
        clicks,
        valueMinor,
      ]),
    ).toEqual([
      ["1", "", 2, 0],
      ["1", "BRL", 0, 5000],
      ["1", "USD", 0, 700],
    ]);
    expect((await funnel("bot")).map(({ campaign, clicks, starts }) => [campaign, clicks, starts])).toEqual([
      ["7", 2, 1],
      ["7", 0, 0],
      ["7", 0, 0],
    ]);
  });

  test("whoever counts many hours gives a sign with each, so that nobody else begins meanwhile", async () => {
    await count();
    for (const hours of [0.5, 1.5, 2.5]) await visit(HOUR + hours * HOUR_MS);
    const { dialect } = own.db;
    let signs = 0;
    const transaction: Database["transaction"] = async (work, durability) => {
      await ageLease();
      const result = await own.db.transaction(work, durability);
      const isYoung = sql`key = 'rollups' and updated_at > ${dialect.plusMs(dialect.now, -30_000)}`;
      signs += (await own.db.rows(sql`select key from settings where ${isYoung}`)).length;
      return result;
    };
    const db: Database = { ...own.db, transaction };
    expect(await createRollups({ db, log: createLog("silent") }).run()).toBe(true);
    // With the beginning and the end.
    expect(signs).toBe(5);
  });

  test("a checkout, a delivery and a refund count beside the sale, and the money given back apart from what was paid", async () => {
    const token = await visit(HOUR, "summer");
    const sold = await pay(HOUR + 1, token, 4990, "BRL");
    const givenBack = await pay(HOUR + 2, token, 700, "BRL");
    for (const state of ["checkout_started", "delivered"] as const) await step(state, HOUR + 3, token, sold);
    await step("refunded", HOUR + 4, token, givenBack);
    await step("offer_viewed", HOUR + 4, token);
    await count();
    const { funnelHourly } = own.db.tables;
    const rows = await own.db
      .select()
      .from(funnelHourly)
      .orderBy(funnelHourly.dimension, funnelHourly.currency);
    const none = { clicks: 0, starts: 0, checkouts: 0, paid: 0, delivered: 0, refunded: 0 };
    const ofKey = (dimension: Dimension, key: string) => [
      {
        ...none,
        dimension,
        key,
        currency: "",
        clicks: 1,
        checkouts: 1,
        delivered: 1,
        valueMinor: 0,
        refundedMinor: 0,
      },
      {
        ...none,
        dimension,
        key,
        currency: "BRL",
        paid: 2,
        refunded: 1,
        valueMinor: 5690,
        refundedMinor: 700,
      },
    ];
    expect(rows.map(({ id: _, hour: __, ...row }) => row)).toEqual(
      [ofKey("bot", "7"), ofKey("campaign", "summer"), ofKey("pool", "1")].flat(),
    );
  });

  test("counting again changes nothing, and what comes later is added", async () => {
    await visit(HOUR, "a");
    await count();
    const once = await funnel();
    await count();
    expect(await funnel()).toEqual(once);
    await visit(HOUR + 1, "a");
    await count();
    expect((await funnel()).map(({ clicks }) => clicks)).toEqual([2]);
  });

  test("a visit that was spooled for hours counts in the hour in which it was made", async () => {
    await visit(HOUR + 5 * HOUR_MS);
    await count();
    await visit(HOUR);
    await count();
    expect((await funnel()).map(({ hour, clicks }) => [hour.getTime(), clicks])).toEqual([
      [HOUR, 1],
      [HOUR + 5 * HOUR_MS, 1],
    ]);
    await settleMarks();
    await visit(HOUR + 1);
    await count();
    expect((await funnel()).map(({ clicks }) => clicks)).toEqual([2, 1]);
  });

  test("what somebody did before their visit came out of a spool moves to its campaign", async () => {
    const token = tokenAt(HOUR);
    await pay(HOUR + 3 * HOUR_MS, token, 4990, "BRL");
    await count();
    expect((await funnel()).map(({ campaign, paid }) => [campaign, paid])).toEqual([["", 1]]);
    await settleMarks();
    await visit(HOUR, "summer", 1, token);
    await count();
    expect((await funnel()).map(({ campaign, clicks, paid }) => [campaign, clicks, paid])).toEqual([
      ["summer", 1, 0],
      ["summer", 0, 1],
    ]);
  });

  test("an hour whose visits retention has taken keeps its numbers, though all is counted anew", async () => {
    const token = await visit(HOUR, "summer");
    await pay(HOUR, token, 4990, "BRL");
    await count();
    const before = await funnel();
    await loseVisitsAndMarks();
    await count();
    expect(await funnel()).toEqual(before);
    await visit(HOUR + 2 * HOUR_MS, "autumn");
    await count();
    expect((await funnel()).filter(({ campaign }) => campaign === "summer")).toEqual(before);
    expect((await funnel()).filter(({ campaign }) => campaign === "autumn")).toHaveLength(1);
  });

  test("where retention has taken every visit, all keep their numbers, and the hour in hand still grows", async () => {
    const token = await visit(HOUR, "summer");
    await pay(HOUR + 3 * HOUR_MS, token, 4990, "BRL");
    const now = Date.now();
    await step("started", now, null);
    await count();
    const before = await funnel();
    await loseVisitsAndMarks();
    await step("started", now, null);
    await count();
    const after = await funnel();
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    expect(after.map(({ clicks, starts, paid }) => [clicks, starts, paid])).toEqual([
      [1, 0, 0],
      [0, 0, 1],
      [0, 2, 0],
    ]);
  });

  test("steps that learn their pool when all is counted move to it, with nothing new beside them", async () => {
    const visited = HOUR - HOUR_MS;
    await visit(visited);
    const id = await pay(HOUR, null, 4990, "BRL");
    await count();
    await settleMarks();
    const { payments } = own.db.tables;
    const deps = {
      db: own.db,
      now: () => new Date(),
      starsUsdMinorPerThousand: null,
      consentDenied: "drop" as const,
    };
    await own.db.transaction(async (tx) => {
      const [payment] = await tx.select().from(payments).where(eq(payments.id, id));
      if (payment) await fillPayment(deps, tx, payment, { surePoolId: 3 });
    });
    await count();
    expect(
      (await funnel("pool")).map(({ hour, campaign: pool, paid, valueMinor }) => [
        hour.getTime(),
        pool,
        paid,
        valueMinor,
      ]),
    ).toEqual([
      [visited, "1", 0, 0],
      [HOUR, "3", 1, 4990],
    ]);
  });

  test("a visit that was committed after one with a later number is counted, however long nobody looked", async () => {
    const first = await visit(HOUR);
    await visit(HOUR + HOUR_MS);
    const { sessions, settings } = own.db.tables;
    const [late] = await own.db.select().from(sessions).where(eq(sessions.trackingToken, first));
    if (!late) throw new Error("no visit");
    await own.db.transaction((tx) => tx.delete(sessions).where(eq(sessions.id, late.id)));
    await count();
    const [setting] = await own.db.select().from(settings).where(eq(settings.key, "rollups"));
    const longAgo = setting?.value.replace(/"newestAtMs":\d+/g, '"newestAtMs":1') ?? "";
    await own.db.transaction(async (tx) => {
      await tx.insert(sessions).values(late);
      await tx.update(settings).set({ value: longAgo }).where(eq(settings.key, "rollups"));
    });
    await count();
    expect((await funnel()).map(({ hour }) => hour.getTime())).toEqual([HOUR, HOUR + HOUR_MS]);
  });

  test("an hour with more visits than are read in one go is counted whole", async () => {
    const { sessions } = own.db.tables;
    const at = new Date(HOUR);
    const rows = Array.from({ length: 5_500 }, (_, i) => {
      const trackingToken = tokenAt(HOUR + (i % 3_600_000));
      const names = { trackingToken, rootEventId: trackingToken, utmCampaign: i % 2 ? "odd" : "even" };
      return { ...names, poolId: 1, botId: 7, pageviewTs: at, createdAt: at, updatedAt: at };
    });
    await own.db.transaction((tx) => tx.insertMany(sessions, ["trackingToken"], rows));
    for (const ms of [0, HOUR_MS / 2, HOUR_MS - 1, HOUR_MS]) await step("started", HOUR + ms, null);
    await count();
    expect((await funnel()).map(({ campaign, clicks, starts }) => [campaign, clicks, starts])).toEqual([
      ["", 0, 3],
      ["even", 2_750, 0],
      ["odd", 2_750, 0],
      ["", 0, 1],
    ]);
  });

  test("a flood of made-up campaigns does not make the table grow: the small ones are put together", async () => {
    for (let i = 0; i < 110; i++) await visit(HOUR + i, `made up ${i}`);
    for (let i = 0; i < 5; i++) await visit(HOUR + i, "real");
    await count();
    const rows = await funnel();
    expect(rows.length).toBe(101);
    expect(rows.reduce((sum, { clicks }) => sum + clicks, 0)).toBe(115);
    expect(rows.find(({ campaign }) => campaign === "real")?.clicks).toBe(5);
    expect(rows.find(({ campaign }) => campaign === OTHER_CAMPAIGNS)?.clicks).toBe(11);
  });

  test("an hour of hundreds of pools is written down whole, and nobody else's setting is touched", async () => {
    const { settings } = own.db.tables;
    const theirs = { key: "theirs", value: "kept", updatedAt: new Date(HOUR) };
    await own.db.transaction((tx) => tx.insert(settings).values(theirs));
    for (let pool = 1; pool <= 250; pool++) await visit(HOUR + pool, null, pool);
    await count();
    const rows = await funnel("pool");
    expect(rows).toHaveLength(250);
    expect(rows.every(({ clicks }) => clicks === 1)).toBe(true);
    expect(await own.db.select().from(settings).where(eq(settings.key, "theirs"))).toEqual([theirs]);
  });

  test("a campaign of any length is counted, under the first 200 characters of its name", async () => {
    // Of four bytes each, and none like its neighbour, which would be stored in fewer.
    const name = String.fromCodePoint(
      ...Array.from({ length: 1_000 }, (_, i) => 0x20000 + ((i * 7919) % 40_000)),
    );
    const start = [...name].slice(0, 200).join("");
    const token = await visit(HOUR, name);
    await visit(HOUR, `${start} of another kind`);
    await visit(HOUR, "short");
    await step("started", HOUR, token);
    await pay(HOUR, token, 4990, "BRL");
    expect(await count()).toBe(true);
    const rows = await funnel();
    expect(rows.map(({ campaign, clicks, starts, paid }) => ({ campaign, clicks, starts, paid }))).toEqual(
      expect.arrayContaining([
        { campaign: "short", clicks: 1, starts: 0, paid: 0 },
        { campaign: start, clicks: 2, starts: 1, paid: 0 },
        { campaign: start, clicks: 0, starts: 0, paid: 1 },
      ]),
    );
    expect(rows).toHaveLength(3);
  });

  test("numbers that were counted while the clock was days ahead do not keep them from being counted again", async () => {
    const { settings } = own.db.tables;
    const isRollups = eq(settings.key, "rollups");
    await visit(HOUR);
    expect(await count()).toBe(true);
    const aheadMs = Date.now() + 90 * 86_400_000;
    const seen = { settled: 0, newest: 1, newestAtMs: aheadMs };
    const watermarks = JSON.stringify({ sessions: seen, funnelStates: seen, outboxAttempts: seen });
    await own.db.transaction((tx) =>
      tx
        .update(settings)
        .set({ value: watermarks, updatedAt: new Date(aheadMs) })
        .where(isRollups),
    );
    expect(await process().run()).toBe(true);
    const [setting] = await own.db.select().from(settings).where(isRollups);
    expect(setting?.updatedAt.getTime()).toBeLessThan(Date.now() + 60_000);
    expect(JSON.parse(setting?.value ?? "").sessions.newestAtMs).toBeLessThan(Date.now() + 60_000);
  });

  test("they say when they were last counted to the end, not when somebody last began to", async () => {
    const beginInVain = async () => {
      const by = process();
      await by.stop();
      await expect(count(by)).rejects.toThrow();
    };
    await beginInVain();
    expect(await countedAt(own.db)).toBeNull();
    await count();
    const at = await countedAt(own.db);
    expect(at).toBeInstanceOf(Date);
    await beginInVain();
    expect(await countedAt(own.db)).toEqual(at);
  });

  test("what an earlier version counted is not called uncounted", async () => {
    const { settings } = own.db.tables;
    await visit(HOUR);
    await count();
    const [setting] = await own.db.select().from(settings).where(eq(settings.key, "rollups"));
    const { countedAtMs: _, ...watermarks } = JSON.parse(setting?.value ?? "");
    const updatedAt = new Date(HOUR);
    await own.db.transaction((tx) =>
      tx
        .update(settings)
        .set({ value: JSON.stringify(watermarks), updatedAt })
        .where(eq(settings.key, "rollups")),
    );
    expect(await countedAt(own.db)).toEqual(updatedAt);
  });

  test("while one process counts, another leaves it alone", async () => {
    await visit(HOUR);
    expect(await count()).toBe(true);
    expect(await process().run()).toBe(false);
  });
});

describe(`hours in hand, on ${testDialect}`, () => {
  const MINUTE_MS = 60_000;
  /** Half an hour into it. */
  const now = HOUR + 30 * MINUTE_MS;
  const throttle = createThrottle(new AbortController().signal);
  const clicks = (counts: readonly FunnelCount[]) =>
    counts.filter(({ dimension }) => dimension === "pool").reduce((sum, count) => sum + count.clicks, 0);
  afterEach(() => setSystemTime());
  const forgetVisits = () => own.db.transaction((tx) => tx.delete(own.db.tables.sessions));

  test("what was counted some minutes ago is not read again, and what is new is added", async () => {
    const hours = createHourCounter(own.db);
    await visit(HOUR);
    await visit(now - MINUTE_MS);
    expect(clicks(await hours.count({ hourMs: HOUR, fromMs: HOUR }, now, throttle))).toBe(2);
    await forgetVisits();
    await visit(now);
    const news = { hourMs: HOUR, fromMs: now };
    expect(clicks(await hours.count(news, now, throttle))).toBe(2);
    expect(clicks(await hours.count(news, now + 10 * MINUTE_MS, throttle))).toBe(2);
    hours.forget();
    expect(clicks(await hours.count(news, now, throttle))).toBe(1);
  });

  test("where something new lies among it, all is read again, though the clock went back meanwhile", async () => {
    const hours = createHourCounter(own.db);
    await visit(HOUR);
    await hours.count({ hourMs: HOUR, fromMs: HOUR }, now, throttle);
    await visit(HOUR + MINUTE_MS);
    const late = { hourMs: HOUR, fromMs: HOUR + MINUTE_MS };
    expect(clicks(await hours.count(late, HOUR, throttle))).toBe(2);
    expect(clicks(await hours.count({ hourMs: HOUR, fromMs: now }, now, throttle))).toBe(2);
    const lastCalm = now - 5 * MINUTE_MS - 1;
    await visit(lastCalm);
    expect(clicks(await hours.count({ hourMs: HOUR, fromMs: lastCalm }, now, throttle))).toBe(3);
  });

  test("a visit and a step that come late, into minutes that were counted, are counted", async () => {
    const here = process();
    const countAfter = (seconds: number) => {
      setSystemTime(now + seconds * 1_000);
      return count(here);
    };
    await visit(HOUR);
    for (const seconds of [0, 40, 80]) await countAfter(seconds);
    await visit(HOUR + MINUTE_MS);
    await countAfter(90);
    expect((await funnel()).map(({ clicks }) => clicks)).toEqual([2]);
    for (const seconds of [130, 170]) await countAfter(seconds);
    // The late one and a new one in one look.
    await step("started", HOUR + 2 * MINUTE_MS, null);
    await step("started", now + 170_000, null);
    await countAfter(180);
    expect((await funnel()).map(({ clicks, starts }) => [clicks, starts])).toEqual([[2, 2]]);
    for (const seconds of [220, 260]) await countAfter(seconds);
    await visit(HOUR + 3 * MINUTE_MS);
    await step("started", now + 260_000, null);
    await countAfter(270);
    expect((await funnel()).map(({ clicks, starts }) => [clicks, starts])).toEqual([[3, 3]]);
    for (const seconds of [310, 350]) await countAfter(seconds);
    await visit(now + 350_000);
    await step("started", HOUR + 4 * MINUTE_MS, null);
    await countAfter(360);
    expect((await funnel()).map(({ clicks, starts }) => [clicks, starts])).toEqual([[4, 4]]);
  });

  test("all that somebody did in this hour before their visit came out of a spool moves to its campaign", async () => {
    const here = process();
    const token = tokenAt(HOUR - HOUR_MS);
    await step("started", HOUR + 2 * MINUTE_MS, token);
    await step("delivered", now, token);
    for (const seconds of [0, 40, 80]) {
      setSystemTime(now + seconds * 1_000);
      await count(here);
    }
    await visit(HOUR - HOUR_MS, "summer", 1, token);
    await count(here);
    expect((await funnel()).map(({ campaign, clicks, starts }) => [campaign, clicks, starts])).toEqual([
      ["summer", 1, 0],
      ["summer", 0, 1],
    ]);
  });

  test("what another process saw while it had the lease is not missed afterwards", async () => {
    const [here, there] = [process(), process()];
    setSystemTime(now);
    await visit(HOUR);
    await count(here);
    await visit(HOUR + MINUTE_MS);
    for (const seconds of [40, 80, 120]) {
      setSystemTime(now + seconds * 1_000);
      await count(there);
    }
    await visit(now + 2 * MINUTE_MS);
    await count(here);
    expect((await funnel()).map(({ clicks }) => clicks)).toEqual([3]);
  });

  /** On Postgres its own clock counts, and no time passes: then everything is looked at again each time. */
  test("whoever counts, and whenever visits and steps come, the numbers are those of all rows", async () => {
    const { sessions, funnelStates, funnelHourly, settings } = own.db.tables;
    const minute = fc.integer({ min: 0, max: 90 });
    const action = fc.oneof(
      fc.record({ kind: fc.constant("visit" as const), minute }),
      fc.record({ kind: fc.constant("step" as const), minute }),
      fc.record({ kind: fc.constant("count" as const), by: fc.nat(1), afterMs: fc.constantFrom(0, 40_000) }),
    );
    const runs = fc.asyncProperty(fc.array(action, { minLength: 8, maxLength: 24 }), async (actions) => {
      const processes = [process(), process()];
      let nowMs = now + HOUR_MS;
      for (const action of actions) {
        if (action.kind === "visit") await visit(HOUR + action.minute * MINUTE_MS, "summer");
        else if (action.kind === "step") await step("started", HOUR + action.minute * MINUTE_MS, null);
        else {
          nowMs += action.afterMs;
          setSystemTime(nowMs);
          await count(processes[action.by]);
        }
      }
      await count(processes[0]);
      const counted = await funnel();
      await own.db.transaction((tx) => tx.delete(settings));
      await count();
      expect(counted).toEqual(await funnel());
      await own.db.transaction(async (tx) => {
        for (const table of [sessions, funnelStates, funnelHourly, settings]) await tx.delete(table);
      });
    });
    await fc.assert(runs, { numRuns: 12 });
  }, 120_000);
});

describe(`delivery rates, on ${testDialect}`, () => {
  const rates = () => {
    const { deliveryRates: r } = own.db.tables;
    return own.db
      .select({ unit: r.unit, at: r.at, requests: r.requests, failures: r.failures, delivered: r.delivered })
      .from(r)
      .orderBy(r.unit, r.at);
  };

  test("requests are counted by minute and by hour, and only what was delivered counts as delivered", async () => {
    const now = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    await request(now + 1_000, "delivered", 100);
    await request(now + 59_999, "transient", 50);
    await request(now + 60_000, "delivered", 7);
    await count();
    expect(await rates()).toEqual([
      { unit: "hour", at: new Date(now), requests: 3, failures: 1, delivered: 107 },
      { unit: "minute", at: new Date(now), requests: 2, failures: 1, delivered: 100 },
      { unit: "minute", at: new Date(now + 60_000), requests: 1, failures: 0, delivered: 7 },
    ]);
    await request(now + 61_000, "delivered", 1);
    await count();
    expect((await rates()).map(({ delivered }) => delivered)).toEqual([108, 100, 8]);
  });

  test("two hours are counted apart, however often they are looked at", async () => {
    const now = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    await request(now - 1, "delivered", 5);
    await request(now, "delivered", 7);
    const expectCounted = async (earlier: number) => {
      await count();
      expect((await rates()).map(({ unit, at, delivered }) => [unit, at.getTime(), delivered])).toEqual([
        ["hour", now - HOUR_MS, earlier],
        ["hour", now, 7],
        ["minute", now - 60_000, earlier],
        ["minute", now, 7],
      ]);
    };
    await expectCounted(5);
    await expectCounted(5);
    await settleMarks();
    await request(now - 1, "delivered", 1);
    await expectCounted(6);
  });

  test("what is sent by one pixel or bot counts for no other, with how long it took", async () => {
    const now = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    await request(now, "delivered", 5);
    await request(now, "delivered", 7, "456");
    await request(now, "delivered", 11, "123", "telegram");
    await count();
    expect(await rates()).toHaveLength(6);
    await settleMarks();
    await request(now + 1, "transient", 5);
    await count();
    const { deliveryRates } = own.db.tables;
    const rows = await own.db.select().from(deliveryRates);
    const perRoute = [
      { destination: "meta", route: "123", requests: 2, failures: 1, delivered: 5, durationMs: 80 },
      { destination: "meta", route: "456", requests: 1, failures: 0, delivered: 7, durationMs: 40 },
      { destination: "telegram", route: "123", requests: 1, failures: 0, delivered: 11, durationMs: 40 },
    ];
    expect(rows).toHaveLength(6);
    for (const unit of ["minute", "hour"] as const)
      expect(rows).toEqual(
        expect.arrayContaining(
          perRoute.map((rates) => expect.objectContaining({ unit, at: new Date(now), ...rates })),
        ),
      );
  });

  test("a route with more requests than are read in one go is counted in each of its minutes", async () => {
    const now = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    for (let i = 0; i < 500; i++) await request(now, "delivered", 1);
    await request(now + 60_000, "delivered", 1);
    await count();
    const minutes = async () => (await rates()).filter(({ unit }) => unit === "minute");
    expect((await minutes()).map(({ requests }) => requests)).toEqual([500, 1]);
    await settleMarks();
    // Of a machine whose clock was set back meanwhile.
    for (let i = 0; i < 500; i++) await request(now + 120_000, "delivered", 1);
    await request(now, "delivered", 1);
    await count();
    expect((await minutes()).map(({ requests }) => requests)).toEqual([501, 1, 500]);
  });

  test("minutes are forgotten after some days, hours are not", async () => {
    await request(HOUR, "delivered", 5);
    await request(Date.now() - 24 * HOUR_MS, "delivered", 7, "456");
    await count();
    await settleMarks();
    await count();
    expect((await rates()).map(({ unit, delivered }) => [unit, delivered])).toEqual([
      ["hour", 5],
      ["hour", 7],
      ["minute", 7],
    ]);
  });

  test("an hour is whole when its last minutes are looked at again days later", async () => {
    await request(HOUR, "delivered", 5);
    await count();
    await settleMarks();
    await request(HOUR + 600_000, "delivered", 7);
    await count();
    const hours = (await rates()).filter(({ unit }) => unit === "hour");
    expect(hours.map(({ delivered }) => delivered)).toEqual([12]);
  });
});

test("a count that is told to stop begins no further piece", async () => {
  let begun = 0;
  const throttle = createThrottle(AbortSignal.abort(new Error("stopped")));
  await expect(throttle(async () => void begun++)).rejects.toThrow("stopped");
  expect(begun).toBe(0);
});
