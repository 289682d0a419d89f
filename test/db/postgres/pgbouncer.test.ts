import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { openDatabase } from "../../../src/db/open.ts";
import { withDeadline } from "../../../src/platform/deadline.ts";
import { startSandbox } from "../../../src/sandbox/app.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../../support/database.ts";
import { genericWebhook } from "../../support/generic-webhook.ts";
import { statusCounts } from "../../support/outbox.ts";
import { startPgBouncer } from "../../support/pgbouncer.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { startToken } from "../../support/start-token.ts";
import { until } from "../../support/until.ts";

const API_KEY = "pooler-api-key-0123456789";
const WEBHOOK_SECRET = "pooler-webhook-secret-0123456789";
const BROWSER = { "user-agent": "Mozilla/5.0 (iPhone)" };
const VISITORS = 12;
/** Far fewer than the processes have to PgBouncer, so that no transaction finds the connection of the one before. */
const CONNECTIONS = 3;

describe.if(testDialect === "postgres")("behind PgBouncer in transaction mode", () => {
  let own: TestDatabase;
  let pooler: Awaited<ReturnType<typeof startPgBouncer>>;
  let sandbox: Awaited<ReturnType<typeof startSandbox>>;
  let servers: readonly TestServer[];
  beforeAll(async () => {
    own = await createTestDatabase({ migrated: false });
    pooler = await startPgBouncer(own.url, CONNECTIONS);
    sandbox = await startSandbox();
    const environment = {
      DATABASE_POOLER: "transaction",
      DATABASE_DIRECT_URL: own.url,
      APP_SECRET: Buffer.alloc(32, 7).toString("base64"),
      META_GRAPH_URL: sandbox.url,
      GENERIC_WEBHOOK_SECRET: WEBHOOK_SECRET,
      API_KEY,
      PAGEVIEW_HOLD_MS: "0",
    };
    servers = await Promise.all([1, 2].map(() => startServer(pooler.url, environment)));
  }, 60_000);
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.kill()));
    await sandbox.stop();
    await pooler.stop();
    await own.dispose();
  });

  /** Sends it again where the machine is so busy that Ponte says 503, as a provider would; the payment's id. */
  async function untilConfirmed(url: string, paid: RequestInit): Promise<string> {
    const answer = await fetch(`${url}/api/payments/webhooks/generic`, paid);
    if (answer.status === 503) return untilConfirmed(url, paid);
    expect(answer.status).toBe(200);
    return (await answer.json()).id;
  }

  /** From the click to the payment, each step at another process; the events that Meta should have of it. */
  async function sellTo(visitor: number) {
    const [here, there] = visitor % 2 ? servers : servers.toReversed();
    const page = await (await fetch(`${here?.url}/go/shop`, { headers: BROWSER })).text();
    const token = startToken(page);
    const fbc = `fb.1.${Date.now()}.click${visitor}`;
    const beacon = { method: "POST", body: JSON.stringify({ tracking_token: token, _fbc: fbc }) };
    expect((await fetch(`${there?.url}/api/tracking/cookies`, beacon)).status).toBe(204);
    const report = { provider_ref: `order${visitor}`, status: "paid", amount_minor: 4990, currency: "BRL" };
    const paid = genericWebhook(WEBHOOK_SECRET, { ...report, tracking_token: token });
    const [id] = await Promise.all(servers.map(({ url }) => untilConfirmed(url, paid)));
    return { fbc, events: [`evt_${token}`, `purchase_${id}`] };
  }

  test("no query waits for ever behind another on its connection", async () => {
    const url = pooler.url;
    const db = await openDatabase({ url, directUrl: own.url, pooler: "transaction" });
    for (let round = 0; round < 20; round++) {
      const asked = Array.from({ length: 40 }, (_, i) =>
        db.rows<{ i: number }>(i % 2 ? sql`select ${i}::int as i` : sql.raw(`select ${i} as i`)),
      );
      const answers = await withDeadline(Promise.all(asked), 5_000);
      expect(answers.flat().map(({ i }) => i)).toEqual(asked.map((_, i) => i));
    }
    await db.close();
  }, 60_000);

  test("two processes migrate, take a visitor's steps in turn, and deliver each event once", async () => {
    const made = await fetch(`${servers[0]?.url}/api/pools`, {
      method: "POST",
      headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" },
      body: JSON.stringify({
        slug: "shop",
        bots: [{ username: "shop_bot" }],
        meta_pixel_id: "5555555555",
        meta_access_token: "EAAtest-token-0123456789",
      }),
    });
    expect(made.status).toBe(201);
    for (const { url } of servers) await until(async () => (await fetch(`${url}/go/shop`)).ok);

    const sales = await Promise.all(Array.from({ length: VISITORS }, (_, visitor) => sellTo(visitor)));
    const events = sales.flatMap((sale) => sale.events);
    await until(async () => {
      const { delivered = 0, ...others } = await statusCounts(own.db);
      return Object.keys(others).length === 0 && delivered >= events.length;
    });
    const received = sandbox.events.list({}, 1_000).map(({ event }) => event);
    // The two first visits were to see whether the pool is there.
    const strangers = received.filter(({ event_id }) => !events.includes(String(event_id)));
    expect(strangers).toHaveLength(servers.length);
    expect(received).toHaveLength(events.length + servers.length);
    for (const { fbc, events } of sales) {
      const purchase = received.find(({ event_id }) => event_id === events[1]);
      expect(purchase?.user_data).toMatchObject({ fbc });
    }
    // A pooled connection would have been used for something else since.
    const listening = sql`select from pg_stat_activity
      where datname = current_database() and query ilike 'listen%'`;
    expect(await own.db.rows(listening)).toHaveLength(servers.length);
    expect(await Promise.all(servers.map((server) => server.stop()))).toEqual([0, 0]);
  }, 60_000);
});

test.if(testDialect === "postgres")(
  "its session mode is good enough to migrate and to listen",
  async () => {
    const own = await createTestDatabase({ migrated: false });
    const session = await startPgBouncer(own.url, CONNECTIONS, "session");
    const db = await openDatabase({ url: own.url, directUrl: session.url });
    await db.migrate();
    let hasRung = false;
    const stopListening = db.listen("outbox", () => {
      hasRung = true;
    });
    await until(async () => {
      await own.db.transaction((tx) => tx.notify("outbox"));
      return hasRung;
    });
    stopListening();
    await db.close();
    await session.stop();
    await own.dispose();
  },
  60_000,
);
