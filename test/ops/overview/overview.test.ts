import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq, isNotNull } from "drizzle-orm";
import fc from "fast-check";
import { pauseRoute } from "../../../src/outbox/change-route.ts";
import { beat } from "../../../src/outbox/heartbeat.ts";
import { newId } from "../../../src/platform/ids.ts";
import { createRollups } from "../../../src/rollups/rollups.ts";
import { createTestApp, type TestApp } from "../../support/app.ts";
import { testDialect } from "../../support/database.ts";
import { addManyErasedSales } from "../../support/erased-sales.ts";
import { logIn, OPERATOR_PASSWORD, type TestOperator } from "../../support/operator.ts";
import { addRows } from "../../support/outbox.ts";
import { addPool } from "../../support/pools.ts";
import { until } from "../../support/until.ts";

const EVIL = `"><script>alert(1)</script>`;

let own: TestApp;
let operator: TestOperator;
beforeAll(async () => {
  own = await createTestApp({ OPERATOR_PASSWORD });
  const { pool, bots } = await addPool(own.db, {
    slug: "summer",
    metaPixelId: "111",
    metaTestEventCode: "TEST1",
  });
  const botId = bots[0]?.id ?? 0;
  const { sessions, funnelStates, payments, outboxAttempts } = own.db.tables;
  const now = new Date();
  const of = { poolId: pool.id, botId };
  await own.db.transaction(async (tx) => {
    for (let i = 0; i < 20; i++) {
      const trackingToken = newId();
      await tx.insert(sessions).values({
        ...of,
        trackingToken,
        rootEventId: trackingToken,
        pageviewTs: now,
        utmCampaign: EVIL,
        createdAt: now,
        updatedAt: now,
      });
      if (i >= 8) continue;
      const step = (state: "started" | "paid", paymentId: string | null) =>
        tx
          .insert(funnelStates)
          .values({ ...of, state, dedupKey: newId(), trackingToken, paymentId, createdAt: now });
      await step("started", null);
      if (i >= 3) continue;
      const id = newId();
      const times = { paidAt: now, createdAt: now, updatedAt: now };
      const money = {
        amountMinor: 4990,
        currency: i === 0 ? "USD" : "BRL",
        trackingToken,
        status: "paid" as const,
      };
      await tx.insert(payments).values({ id, provider: "generic", providerRef: id, ...money, ...times });
      await step("paid", id);
    }
    await tx.insert(outboxAttempts).values({
      destination: "meta",
      route: "111",
      outboxIds: [],
      events: 17,
      outcome: "delivered",
      durationMs: 40,
      response: "{}",
      startedAt: now,
    });
    await pauseRoute(tx, own.db, { destination: "meta", route: "111" }, `token ${EVIL}`);
  });
  await addRows(own.db, 5, { route: "111", poolId: pool.id });
  await addRows(own.db, 2, { route: "111", poolId: pool.id, status: "dead", lastError: `(#100) ${EVIL}` });
  await createRollups({ db: own.db, log: own.deps.log }).run();
  operator = await logIn(own);
});
afterAll(() => own.dispose());

/** What a reader sees: tags gone, entities read, spaces single. */
async function textOf(response: Response): Promise<string> {
  const html = await response.text();
  return html
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/&#34;|&quot;/g, '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll(/\s+/g, " ");
}

describe(`the overview, on ${testDialect}`, () => {
  test("says what is sent, what waits, what is dead and what is paused, with the way to its token", async () => {
    const answer = await operator.get("/ops?span=1h");
    expect(await answer.clone().text()).toContain('<a href="/ops/pools"><b>');
    const text = await textOf(answer);
    expect(text).toContain("Sent 17 17 to Meta, 0 to Telegram");
    expect(text).toContain("Waiting 5 ");
    expect(text).toContain("Dead 2 0 expired");
    expect(text).toContain("Paused routes 1 somebody must act");
    expect(text).toContain("One route is paused: nothing of it is sent");
    expect(text).toContain(`token ${EVIL}`);
    expect(text).toContain(`(#100) ${EVIL}`);
  });

  test("counts the funnel from click to payment with rates, by pool and campaign, and value by currency", async () => {
    const text = await textOf(await operator.get("/ops?span=24h"));
    expect(text).toContain("Clicks 20 the visits that were let in");
    expect(text).toContain("Starts 8 40.0% of clicks");
    expect(text).toContain("Paid 3 ");
    expect(text).toContain("summer 20 8 40.0% 0 3 15.0% 0 0 R$99.80 + $49.90");
    expect(text).toContain(`${EVIL} 20 8 40.0% 0 3 15.0%`);
  });

  test("gives each hour its rates and its value, and says since when the funnel counts", async () => {
    const text = await textOf(await operator.get("/ops?span=1h"));
    expect(text).toMatch(/ 20 8 40\.0% 0 3 15\.0% 0 0 R\$99\.80 \+ \$49\.90 /);
    expect(text).toMatch(/3 paid since \d\d \w{3}, \d\d:00/);
    expect(text).toContain("which may be before the span begins");
  });

  test("says what each route sent, by pool and hour", async () => {
    const html = await (await operator.get("/ops?span=30d")).text();
    const [, table = ""] = /<details[^>]*id="deliveries-by-route">(.*?)<\/details>/s.exec(html) ?? [];
    const line = table.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");
    expect(line).toMatch(/ summer \(meta\) 17 0 $/);
  });

  test("counts the sales that Meta was not told of, and leads from each to whose it is", async () => {
    const html = await (await operator.get("/ops")).clone().text();
    expect(html).toContain("3 sales were not reported to Meta");
    const [, path = ""] = /href="(\/ops\/visitors\?q=[0-9a-f]{32})"/.exec(html) ?? [];
    expect(await textOf(await operator.get(path))).toMatch(/paid (R\$|\$)49\.90 generic/);
  });

  test("says that older sales may not be reported where it looked at none but those kept on purpose", async () => {
    await addManyErasedSales(own.db);
    // What the page shows of now is remembered for some seconds.
    let text = "";
    await until(async () => {
      text = await textOf(await operator.get("/ops"));
      return text.includes("Older sales may not be reported to Meta");
    });
    expect(text).not.toContain("sales were not reported");
    await own.db.transaction((tx) =>
      tx.delete(own.db.tables.payments).where(isNotNull(own.db.tables.payments.erasedAt)),
    );
  }, 60_000);

  test("shows a bot that no visitor is sent to, with Telegram's words", async () => {
    const { bots } = own.db.tables;
    await own.db.transaction(async (tx) => {
      await tx.update(bots).set({ healthy: false, healthReason: `Unauthorized ${EVIL}` });
    });
    // What the page shows of now is remembered for some seconds.
    let text = "";
    await until(async () => {
      text = await textOf(await operator.get("/ops"));
      return text.includes("A bot is not healthy: no visitor is sent to it");
    });
    expect(text).toContain(`Unauthorized ${EVIL}`);
  }, 60_000);

  test("says whom the gates turned away, by pool and reason, there and on the pool's page", async () => {
    const { pools, gateRefusals } = own.db.tables;
    const [pool] = await own.db.select({ id: pools.id }).from(pools).where(eq(pools.slug, "summer"));
    const poolId = pool?.id ?? 0;
    const hour = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000);
    const longAgo = new Date(hour.getTime() - 20 * 86_400_000);
    await own.db.transaction(async (tx) => {
      await tx.insert(gateRefusals).values([
        { poolId, reason: "param", hour, total: 41 },
        { poolId, reason: "automated", hour, total: 7 },
        { poolId, reason: "param", hour: longAgo, total: 1_000 },
      ]);
    });
    expect(await textOf(await operator.get("/ops?span=7d"))).toContain("Automated summer 41 7 ");
    const page = await textOf(await operator.get(`/ops/pools/${poolId}`));
    expect(page).toContain("24 hours 41 without the parameter, 7 automated");
    expect(page).toContain("30 days 1,041 without the parameter, 7 automated");
  });

  test("nothing that strangers wrote gets out of its place", async () => {
    expect(await (await operator.get("/ops")).text()).not.toContain("<script>alert");
  });

  test("says on every page that a pool has a test code, and that Meta counts its events all the same", async () => {
    for (const path of ["/ops", "/ops/nothing-here"]) {
      const text = await textOf(await operator.get(path));
      expect(text).toContain("also show under Test events; Meta still counts them");
      expect(text).not.toContain("does not count");
    }
  });

  test("says loudly that nothing is sent where no dispatcher runs, and not where one does", async () => {
    expect(await textOf(await operator.get("/ops"))).toContain("no dispatcher is running");
    const other = await createTestApp({ OPERATOR_PASSWORD });
    await beat(other.db, "here");
    expect(await textOf(await (await logIn(other)).get("/ops"))).not.toContain("no dispatcher is running");
    await other.dispose();
  });

  test("its live part comes by itself, for htmx", async () => {
    const html = await (await operator.get("/ops/live?span=1h", { "hx-request": "true" })).text();
    expect(html).toContain("Deliveries per minute");
    expect(html).not.toContain("<html");
  });

  test("a paused route is resumed from here, which stands in the audit log, and twice does no harm", async () => {
    const fields = { destination: "meta", route: "111" };
    expect((await operator.post("/ops/routes/resume", fields)).headers.get("location")).toBe("/ops");
    expect(await textOf(await operator.get("/ops"))).toContain("meta 111 may send again.");
    const { auditLog, outboxRoutes } = own.db.tables;
    expect(await own.db.select().from(outboxRoutes)).toEqual([]);
    const entries = await own.db.select().from(auditLog).where(eq(auditLog.action, "outbox.resume"));
    expect(entries).toMatchObject([{ actor: "console", subject: "route:meta:111" }]);
    await operator.post("/ops/routes/resume", fields);
    const page = await (await operator.get("/ops")).text();
    expect(page).toMatch(/class="banner warn"[^>]*><[^>]+><span>Nothing held that route up any more\./);
    expect((await operator.post("/ops/routes/resume", { destination: "moon" })).status).toBe(303);
  });

  test("a paused route leads to its bot's page, whichever its lane", async () => {
    const key = { destination: "telegram", route: "7/mercadopago" } as const;
    await own.db.transaction((tx) => pauseRoute(tx, own.db, key, "no"));
    // What the page remembers of a moment ago is forgotten when somebody resumes.
    await operator.post("/ops/routes/resume", { destination: "meta", route: "111" });
    expect(await (await operator.get("/ops")).text()).toContain('<a href="/ops/bots/7"><b>');
  });

  test("any query is answered with a page", async () => {
    const query = fc.dictionary(fc.constantFrom("span", "from", "to", "x"), fc.string());
    await fc.assert(
      fc.asyncProperty(query, async (fields) => {
        const { status } = await operator.get(`/ops?${new URLSearchParams(fields)}`);
        expect(status).toBe(200);
      }),
      { numRuns: 40 },
    );
    expect((await operator.get("/ops?span=custom&from=2025-03-01T00:00&to=%ff")).status).toBe(200);
  });
});
