import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { SCHEMAS } from "../../src/api/schemas.ts";
import { pauseRoute } from "../../src/outbox/change-route.ts";
import { newId } from "../../src/platform/ids.ts";
import { createLog } from "../../src/platform/log.ts";
import { createRollups } from "../../src/rollups/rollups.ts";
import { testDialect } from "../support/database.ts";
import { addRows } from "../support/outbox.ts";
import { addPool } from "../support/pools.ts";
import { type Harness, openHarness } from "./harness.ts";

let api: Harness;
beforeAll(async () => {
  api = await openHarness();
  const { db } = api.own;
  const { pool, bots } = await addPool(db, { slug: "gated", metaPixelId: "111" });
  await clickAndPay({ poolId: pool.id, botId: bots[0]?.id ?? 0 });
  await addRows(db, 5, { route: "111" });
  await addRows(db, 2, { route: "111", status: "dead" });
  await db.transaction(async (tx) => {
    await tx.insert(db.tables.outboxAttempts).values({
      destination: "meta",
      route: "111",
      outboxIds: [],
      events: 17,
      outcome: "delivered",
      durationMs: 40,
      response: "{}",
      startedAt: new Date(),
    });
    await pauseRoute(tx, db, { destination: "meta", route: "111" }, "bad token");
  });
  await createRollups({ db, log: createLog("silent") }).run();
  // After all that was seeded, so that its minute is part of the span.
  api.clock.at = new Date();
});
afterAll(() => api.own.dispose());

async function overview(query = "") {
  const answer = await api.call("GET", `/api/overview${query}`);
  expect(answer.status).toBe(200);
  return SCHEMAS.Overview.parse(answer.body);
}

/** One visitor who clicks and pays, now. */
async function clickAndPay(of: { readonly poolId: number; readonly botId: number }): Promise<void> {
  const { sessions, funnelStates, payments } = api.own.db.tables;
  const now = new Date();
  const times = { createdAt: now, updatedAt: now };
  const [trackingToken, id] = [newId(), newId()];
  await api.own.db.transaction(async (tx) => {
    await tx.insert(sessions).values({
      ...of,
      ...times,
      trackingToken,
      rootEventId: trackingToken,
      pageviewTs: now,
      utmCampaign: "Frio | 03",
    });
    const money = { amountMinor: 4990, currency: "BRL", status: "paid" as const, trackingToken };
    await tx
      .insert(payments)
      .values({ id, provider: "generic", providerRef: id, ...money, ...times, paidAt: now });
    for (const state of ["started", "paid"] as const)
      await tx
        .insert(funnelStates)
        .values({ ...of, state, dedupKey: newId(), trackingToken, paymentId: id, createdAt: now });
  });
}

describe(`the overview over the API, on ${testDialect}`, () => {
  test("says what waits, since when, what is dead and what is paused, and by which pools", async () => {
    const { now } = await overview();
    const route = { destination: "meta", route: "111", of: "gated" };
    expect(now).toMatchObject({ dead: 2, expired: 0, is_more_dead: false, dispatchers_alive: 0 });
    expect(now.waiting).toBeGreaterThanOrEqual(5);
    expect(now.oldest_waiting?.age_seconds).toBeGreaterThanOrEqual(0);
    expect(now.paused_routes).toMatchObject([{ ...route, reason: "bad token", waiting: 5 }]);
  });

  test("lists the sales that Meta was not told of, by what their provider calls them", async () => {
    const { unreported_sales } = (await overview()).now;
    expect(unreported_sales).toMatchObject({ count: 1, is_more: false });
    expect(unreported_sales.newest).toMatchObject([
      { provider: "generic", amount_minor: 4990, currency: "BRL", paid_at: expect.any(String) },
    ]);
  });

  test("says what was sent, by minute and by route", async () => {
    const { sent, deliveries } = await overview();
    expect(sent.meta).toBe(17);
    expect(deliveries.unit).toBe("minute");
    expect(deliveries.points.reduce((sum, { meta }) => sum + meta, 0)).toBe(17);
    expect(deliveries.points).toHaveLength(1_440);
    expect(deliveries.routes).toContainEqual({
      ...{ destination: "meta", route: "111", of: "gated" },
      ...{ requests: 1, failed_requests: 0, delivered: 17, mean_ms: 40 },
    });
  });

  test.each([
    ["pool", "gated"],
    ["bot", "@gated_bot"],
    ["campaign", "Frio | 03"],
    ["hour", null],
  ])("tells the funnel by %s, with rates and value", async (by, name) => {
    const { funnel } = await overview(`?by=${by}`);
    const paid = { clicks: 1, starts: 1, paid: 1, of_clicks: { paid: 1 } };
    const values = [{ currency: "BRL", value_minor: 4990 }];
    expect(funnel).toMatchObject({ by, total: { ...paid, values, of_step_before: { paid: null } } });
    const line = funnel.lines.find(({ clicks }) => clicks === 1);
    expect(line).toMatchObject({ ...paid, values, ...(name !== null && { name }) });
    expect(funnel.lines.length).toBeGreaterThanOrEqual(by === "hour" ? 24 : 1);
  });

  test("takes a day as well as an instant, and refuses what is no span", async () => {
    expect(await overview("?from=2025-03-01&to=2025-03-02T00:00:00-03:00")).toMatchObject({
      from: "2025-03-01T00:00:00.000Z",
      to: "2025-03-02T03:00:00.000Z",
      deliveries: { unit: "hour" },
      funnel: { total: { clicks: 0, of_clicks: { paid: null } } },
    });
    for (const query of [
      "from=yesterday",
      "by=moon",
      "span=7d",
      "from=2025-03-02&to=2025-03-01",
      "from=2025-03-01&to=2025-03-01",
      "from=2025-01-01&to=2025-04-03T00:00:00.001Z",
    ]) {
      const { status } = await api.call("GET", `/api/overview?${query}`);
      expect({ query, status }).toEqual({ query, status: 400 });
    }
    // 92 days.
    expect((await overview("?from=2025-01-01&to=2025-04-03")).from).toBe("2025-01-01T00:00:00.000Z");
  });

  test("opens to a key that may only read, and to nobody without one", async () => {
    const key = await api.newKey("read");
    expect((await api.call("GET", "/api/overview", undefined, key)).status).toBe(200);
    expect((await api.call("GET", "/api/overview", undefined, null)).status).toBe(401);
  });
});
