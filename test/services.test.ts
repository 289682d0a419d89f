import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { changeRoute, pauseRoute } from "../src/outbox/change-route.ts";
import { enqueue } from "../src/outbox/enqueue.ts";
import { findHold } from "../src/outbox/holds.ts";
import { createSecrets } from "../src/platform/secrets.ts";
import { startServices } from "../src/services.ts";
import { createTestApp, type TestApp } from "./support/app.ts";
import { testDialect } from "./support/database.ts";
import { addRows, enqueueEvents, pageView, statusCounts } from "./support/outbox.ts";
import { addPool } from "./support/pools.ts";
import { seedVisitor } from "./support/seed-visitor.ts";
import { until } from "./support/until.ts";

const DAY_MS = 86_400_000;

let own: TestApp;
beforeAll(async () => {
  own = await createTestApp({
    RETENTION_DAYS: "30",
    // Nobody is there: what a test leaves behind goes nowhere.
    META_GRAPH_URL: "http://127.0.0.1:9",
    TELEGRAM_API_URL: "http://127.0.0.1:9",
  });
});
afterAll(() => own.dispose());

/** A payment that somebody began three days ago, and never made. */
async function addUnpaid(): Promise<string> {
  const { payments } = own.db.tables;
  const { paymentId } = await seedVisitor(own.db);
  const createdAt = new Date(Date.now() - 3 * DAY_MS);
  await own.db.transaction(async (tx) => {
    await tx.update(payments).set({ status: "pending", createdAt }).where(eq(payments.id, paymentId));
  });
  return paymentId;
}

async function statusOf(paymentId: string) {
  const { payments } = own.db.tables;
  const [payment] = await own.db.select().from(payments).where(eq(payments.id, paymentId));
  return payment?.status;
}

describe(`a process that dispatches, on ${testDialect}`, () => {
  test("removes what is older than RETENTION_DAYS and expires payments that nobody paid", async () => {
    const { db, deps } = own;
    await addRows(db, 7, { status: "delivered", createdAt: new Date(Date.now() - 31 * DAY_MS) });
    await addRows(db, 3, { status: "delivered", createdAt: new Date(Date.now() - 29 * DAY_MS) });
    const paymentId = await addUnpaid();
    const services = await startServices(deps, 0);
    const state = async () => `${(await statusCounts(db)).delivered} ${await statusOf(paymentId)}`;
    await until(async () => (await state()) === "3 expired");
    await services.stop();
    expect(await state()).toBe("3 expired");
  });

  test("events that waited for the right APP_SECRET go when a process starts with it, what an operator paused does not", async () => {
    using meta = Bun.serve({ port: 0, fetch: () => Response.json({ events_received: 1 }) });
    const { db, deps } = own;
    const graph = { ...deps.config, meta: { ...deps.config.meta, graphUrl: meta.url.origin } };
    const metaAccessToken = deps.secrets.seal("EAAtest-token-0123456789", "pools.meta_access_token");
    await addPool(db, { slug: "sealed", metaPixelId: "777", metaAccessToken });
    const operators = { destination: "meta", route: "778" } as const;
    await db.transaction((tx) => pauseRoute(tx, db, operators, "a week off"));
    await enqueueEvents(db, "777", [pageView("waits")]);
    const paused = async () => {
      const routes = await db.select().from(db.tables.outboxRoutes);
      return routes.flatMap(({ route, pausedAt }) => (pausedAt ? [route] : [])).sort();
    };

    const wrong = await startServices({ ...deps, config: graph, secrets: createSecrets(new Uint8Array(32)) });
    await until(async () => (await paused()).length === 2);
    await wrong.stop();
    expect(await paused()).toEqual(["777", "778"]);
    const before = (await statusCounts(db)).delivered ?? 0;

    // A rest that was asked for meanwhile is not forgotten with the pause.
    const rests = { destination: "meta", route: "779" } as const;
    const reason = "cannot be opened: APP_SECRET is not the one it was sealed with";
    await db.transaction(async (tx) => {
      await changeRoute(tx, db, rests, { kind: "paused", reason, by: "refusal" });
      await changeRoute(tx, db, rests, { kind: "throttled", forMs: 3_600_000 });
    });

    const right = await startServices({ ...deps, config: graph });
    await until(async () => (await statusCounts(db)).delivered === before + 1);
    await right.stop();
    expect(await paused()).toEqual(["778"]);
    expect(await findHold(db, db, rests, Date.now())).toMatchObject({ state: "throttled" });
  });

  test("a stop waits for no bot's health: nothing is sent after it, and no further bot asked", async () => {
    const calls: string[] = [];
    const hanging = Promise.withResolvers<void>();
    using telegram = Bun.serve({
      port: 0,
      idleTimeout: 0,
      async fetch({ url }) {
        calls.push(new URL(url).pathname.replace(/.*\//, ""));
        if (url.endsWith("/getMe")) await hanging.promise;
        return Response.json({ ok: true, result: { message_id: 1 } });
      },
    });
    const { db, deps } = own;
    const { bots } = db.tables;
    const ids = await db.transaction(async (tx) => {
      const rows = [1, 2].map((n) => ({
        username: `hanging_${n}_bot`,
        token: deps.secrets.seal(`70000${n}:AAF-a_well_formed_token_of_a_test_bot`, "bots.token"),
        createdAt: new Date(),
        updatedAt: new Date(),
      }));
      return tx.insert(bots).values(rows).returning({ id: bots.id });
    });
    const config = { ...deps.config, telegramApiUrl: telegram.url.origin };
    const services = await startServices({ ...deps, config });
    await until(async () => calls.includes("getMe"));
    const stopped = services.stop();
    await db.transaction((tx) =>
      enqueue(tx, db.tables, [
        {
          destination: "telegram",
          route: String(ids[0]?.id),
          eventName: "delivery",
          eventId: "delivery_after_the_stop",
          payload: { method: "sendMessage", body: { chat_id: "1", text: "hello" } },
        },
      ]),
    );
    await stopped;
    expect(calls).toEqual(["getMe"]);
    hanging.resolve();
    await db.transaction((tx) => tx.update(bots).set({ enabled: false }));
  });

  test("a process that only answers requests leaves that to others", async () => {
    const { deps } = own;
    const paymentId = await addUnpaid();
    // Payments are looked at as soon as a process starts, and before it stops.
    const answering = await startServices({ ...deps, config: { ...deps.config, role: "web" } });
    await answering.stop();
    expect(await statusOf(paymentId)).toBe("pending");
    const dispatching = await startServices(deps);
    await dispatching.stop();
    expect(await statusOf(paymentId)).toBe("expired");
  });
});
