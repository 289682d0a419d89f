import { expect, test } from "bun:test";
import { Redis } from "ioredis";
import { openDatabase } from "../../src/db/open.ts";
import { createSecrets } from "../../src/platform/secrets.ts";
import { startSandbox } from "../../src/sandbox/app.ts";
import { createSqliteFolder } from "../support/database.ts";
import { genericWebhook } from "../support/generic-webhook.ts";
import { statusCounts } from "../support/outbox.ts";
import { addPool } from "../support/pools.ts";
import { startServer } from "../support/server.ts";
import { startToken } from "../support/start-token.ts";
import { until } from "../support/until.ts";

const API_KEY = "flushed-api-key-0123456789";
const WEBHOOK_SECRET = "flushed-webhook-secret-0123456789";
const APP_SECRET = new Uint8Array(32).fill(7);
const redisUrl = process.env.TEST_REDIS_URL;

test.if(redisUrl !== undefined)(
  "on SQLite, a Redis that is flushed after each step of a sale takes nothing of it along",
  async () => {
    // One of its databases that no other suite has anything in.
    const ownRedis = new URL(redisUrl ?? "");
    ownRedis.pathname = "/9";
    const redis = new Redis(ownRedis.href);
    const sandbox = await startSandbox();
    const place = createSqliteFolder();
    const db = await openDatabase({ url: place.url });
    await db.migrate();
    const metaAccessToken = createSecrets(APP_SECRET).seal(
      "EAAtest-token-0123456789",
      "pools.meta_access_token",
    );
    await addPool(db, { slug: "shop", metaPixelId: "5555555555", metaAccessToken });
    const server = await startServer(place.url, {
      REDIS_URL: ownRedis.href,
      APP_SECRET: Buffer.from(APP_SECRET).toString("base64"),
      META_GRAPH_URL: sandbox.url,
      GENERIC_WEBHOOK_SECRET: WEBHOOK_SECRET,
      API_KEY,
      PAGEVIEW_HOLD_MS: "0",
    });
    const post = async (path: string, body: object) => {
      const answer = await fetch(server.url + path, {
        method: "POST",
        headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      await redis.flushdb();
      return { status: answer.status, body: await answer.json() };
    };

    try {
      const link = `${server.url}/go/shop?fbclid=AbCd&utm_campaign=summer`;
      const page = await (await fetch(link, { headers: { "user-agent": "Mozilla/5.0 (iPhone)" } })).text();
      const token = startToken(page);
      // The copy is made after the answer.
      await until(async () => (await redis.hget(`ponte:tracking:${token}`, "fbclid")) === "AbCd");
      await redis.flushdb();

      const buyer = { bot: "shop_bot", telegram_user_id: 776 };
      const started = await post("/api/bot/start", { ...buyer, tracking_token: token });
      expect(started).toMatchObject({ status: 201, body: { session: { fbclid: "AbCd" } } });
      const order = { provider: "generic", provider_ref: "order-1", amount_minor: 4990, currency: "BRL" };
      const registered = await post("/api/payments", { ...order, ...buyer });
      expect(registered.status).toBe(201);
      const paid = genericWebhook(WEBHOOK_SECRET, { provider_ref: "order-1", status: "paid" });
      expect((await fetch(`${server.url}/api/payments/webhooks/generic`, paid)).status).toBe(200);

      await until(async () => (await statusCounts(db)).delivered === 2);
      const [pageView, purchase, ...more] = sandbox.events.list().map(({ event }) => event);
      expect(pageView).toMatchObject({ event_name: "PageView", event_id: `evt_${token}` });
      expect(purchase).toMatchObject({
        event_name: "Purchase",
        event_id: `purchase_${registered.body.id}`,
        user_data: {
          fbc: expect.stringMatching(/\.AbCd$/),
          client_user_agent: "Mozilla/5.0 (iPhone)",
        },
        custom_data: { value: 49.9, currency: "BRL", utm_campaign: "summer" },
      });
      expect(more).toEqual([]);
      expect(await server.stop()).toBe(0);
    } finally {
      await server.kill();
      redis.disconnect();
      await db.close();
      await place.remove();
      await sandbox.stop();
    }
  },
  30_000,
);
