import { describe, expect, test } from "bun:test";
import { eq, isNotNull } from "drizzle-orm";
import { changeRoute, pauseRoute } from "../../src/outbox/change-route.ts";
import { claim } from "../../src/outbox/lease.ts";
import { resumeRoute } from "../../src/outbox/resume-route.ts";
import { settle } from "../../src/outbox/settle.ts";
import { createPool, updatePool } from "../../src/pools/manage-pools.ts";
import { commandEnvironment, ponteJson } from "../cli/ponte.ts";
import { testDialect } from "../support/database.ts";
import {
  addRows,
  addSendingPool,
  enqueueEvents,
  pageView,
  passTime,
  statusCounts,
  testDispatcher,
  testSecrets,
} from "../support/outbox.ts";
import { until } from "../support/until.ts";
import { events, OTHER, PIXEL, useDispatchers } from "./dispatching.ts";

const { own, dispatcher, fault, received, posts, attempts } = useDispatchers();

describe(`credentials of a dispatcher on ${testDialect}`, () => {
  test("a refused token pauses the pixel, burns nothing, and a changed one lets the rows go", async () => {
    await fault({ mode: "190", times: 1 });
    await enqueueEvents(own.db, PIXEL, events(5));
    await dispatcher().drain();
    await passTime(own.db);
    await dispatcher().drain();
    expect(posts()).toHaveLength(1);
    expect(await statusCounts(own.db)).toEqual({ pending: 5 });
    const { outbox, outboxRoutes } = own.db.tables;
    const [route] = await own.db.select().from(outboxRoutes);
    expect(route?.pausedAt).toBeInstanceOf(Date);
    expect(route?.pausedReason).toContain("190");
    const [row] = await own.db.select().from(outbox).limit(1);
    expect(row?.attempts).toBe(0);
    const change = { meta_access_token: "EAAthe-new-one" };
    await updatePool({ db: own.db, secrets: testSecrets, now: () => new Date() }, "test", "one", change);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 5 });
  });

  test("pools that share a pixel send with the token set last, and with another's when that is refused", async () => {
    const used: string[] = [];
    const refused = new Set<string>();
    using meta = Bun.serve({
      port: 0,
      async fetch(request) {
        const token = /EAA-[a-z]+/.exec(await request.text())?.[0] ?? "none";
        used.push(token);
        return refused.has(token)
          ? Response.json({ error: { code: 190, message: "invalid token" } }, { status: 401 })
          : Response.json({ events_received: 1 });
      },
    });
    await addSendingPool(own.db, "two", PIXEL);
    let changes = 0;
    const change = (slug: string, what: { name: string } | { meta_access_token: string }) =>
      updatePool(
        { db: own.db, secrets: testSecrets, now: () => new Date(Date.now() + 1_000 * ++changes) },
        "test",
        slug,
        what,
      );
    await change("one", { meta_access_token: "EAA-one" });
    await change("two", { meta_access_token: "EAA-two" });
    await change("one", { name: "edited last" });
    const running = testDispatcher(own.db, meta.url.origin);
    const sendOne = async (id: string) => {
      await enqueueEvents(own.db, PIXEL, [pageView(id)]);
      await running.drain();
    };
    await sendOne("a");
    refused.add("EAA-two");
    await sendOne("b");
    await sendOne("c");
    expect(used).toEqual(["EAA-two", "EAA-two", "EAA-one", "EAA-one"]);
    expect(await own.db.$count(own.db.tables.outboxRoutes)).toBe(0);
    refused.add("EAA-one");
    await sendOne("d");
    expect((await own.db.select().from(own.db.tables.outboxRoutes))[0]?.pausedReason).toContain("190");
    expect(await statusCounts(own.db)).toEqual({ delivered: 3, pending: 1 });
    // One of the two works again; which of them, only trying tells.
    refused.delete("EAA-one");
    await own.db.transaction((tx) => resumeRoute(tx, own.db, { destination: "meta", route: PIXEL }));
    await running.drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 4 });
  });

  test("a resumed route makes due what was tried before, and not what waits for its browser; neither forgets its last words", async () => {
    const key = { destination: "meta" as const, route: PIXEL };
    await addRows(own.db, 1, { ...key, availableInMs: 3_600_000 });
    await addRows(own.db, 1, { ...key, availableInMs: 3_600_000, attempts: 1, lastError: "down" });
    await own.db.transaction((tx) => pauseRoute(tx, own.db, key, "why"));
    await own.db.transaction((tx) => resumeRoute(tx, own.db, key));
    const rows = await claim(own.db, "lease", { ...key, limit: 10 });
    expect(rows).toMatchObject([{ attempts: 2 }]);
    const released = { kind: "released", afterMs: null, reason: null } as const;
    await own.db.transaction((tx) => settle(tx, own.db, "lease", rows, released));
    const { outbox } = own.db.tables;
    const [row] = await own.db.select().from(outbox).where(eq(outbox.attempts, 1));
    expect(row).toMatchObject({ status: "pending", lastError: "down" });
  });

  test("an operator's pause outlives a changed token, and a refusal does not take its reason", async () => {
    const key = { destination: "meta" as const, route: PIXEL };
    const { db } = own;
    await db.transaction((tx) => pauseRoute(tx, db, key, "the campaign is over"));
    const refused = { kind: "paused", reason: "190", by: "refusal" } as const;
    await db.transaction((tx) => changeRoute(tx, db, key, refused));
    await db.transaction((tx) => changeRoute(tx, db, { ...key, route: `${PIXEL}/TEST1` }, refused));
    const change = { meta_access_token: "EAAthe-new-one" };
    await updatePool({ db, secrets: testSecrets, now: () => new Date() }, "test", "one", change);
    const routes = await db.select().from(db.tables.outboxRoutes);
    expect(routes).toMatchObject([
      { route: PIXEL, pausedBy: "operator", pausedReason: "the campaign is over" },
    ]);
  });

  test("a changed token ends the pause of its own pixel alone, and of no other pixel or bot", async () => {
    const { db } = own;
    await addSendingPool(db, "two", OTHER);
    const refused = { kind: "paused", reason: "190", by: "refusal" } as const;
    const meta = (route: string) => ({ destination: "meta" as const, route });
    for (const key of [meta(PIXEL), meta(OTHER), { destination: "telegram" as const, route: "1" }])
      await db.transaction((tx) => changeRoute(tx, db, key, refused));
    const change = { meta_access_token: "EAAthe-new-one" };
    await updatePool({ db, secrets: testSecrets, now: () => new Date() }, "test", "one", change);
    const routes = await db.select().from(db.tables.outboxRoutes);
    expect(routes.map(({ route }) => route).sort()).toEqual(["1", OTHER]);
  });

  test("a token changed while the old one is being refused is used at once, and nothing is paused or slowed down", async () => {
    const change = { meta_access_token: "EAAthe-new-one" };
    using meta = Bun.serve({
      port: 0,
      async fetch(request) {
        if ((await request.text()).includes("EAAthe-new-one")) return Response.json({ events_received: 2 });
        await updatePool({ db: own.db, secrets: testSecrets, now: () => new Date() }, "test", "one", change);
        return Response.json({ error: { code: 190, message: "invalid token" } }, { status: 401 });
      },
    });
    await enqueueEvents(own.db, PIXEL, events(2));
    await testDispatcher(own.db, meta.url.origin).drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 2 });
    expect((await attempts()).map(({ outcome }) => outcome)).toEqual(["outdated", "delivered"]);
    expect(await own.db.$count(own.db.tables.outboxRoutes)).toBe(0);
  });

  test("a token changed by the command line, in another process, lets the rows go by themselves", async () => {
    await fault({ mode: "190", times: 1 });
    await enqueueEvents(own.db, PIXEL, events(2));
    const running = dispatcher();
    running.start();
    const { outboxRoutes } = own.db.tables;
    await until(async () => (await own.db.$count(outboxRoutes, isNotNull(outboxRoutes.pausedAt))) !== 0);
    const changing = ["pool", "update", "one", "--access-token", "EAAthe-new-one"];
    await ponteJson(changing, commandEnvironment(own));
    await until(async () => ((await statusCounts(own.db)).delivered ?? 0) >= 2);
    await running.stop();
    expect(received().map(({ event }) => event.event_id)).toEqual(["e0", "e1"]);
  });

  test("events of a pixel that their pool has no more go with that pool's token", async () => {
    const { tables } = own.db;
    const [pool] = await own.db.select({ id: tables.pools.id }).from(tables.pools);
    await enqueueEvents(own.db, PIXEL, events(2));
    await own.db.transaction((tx) => tx.update(tables.outboxProgress).set({ poolId: pool?.id ?? 0 }));
    const change = { meta_pixel_id: OTHER };
    await updatePool({ db: own.db, secrets: testSecrets, now: () => new Date() }, "test", "one", change);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 2 });
    expect(received().map(({ pixel_id }) => pixel_id)).toEqual([PIXEL, PIXEL]);
  });

  test("a pause that a pool's old token came to ends with the new one, though the pool has another pixel now", async () => {
    const { tables } = own.db;
    const [pool] = await own.db.select({ id: tables.pools.id }).from(tables.pools);
    await enqueueEvents(own.db, PIXEL, events(2));
    await own.db.transaction((tx) => tx.update(tables.outboxProgress).set({ poolId: pool?.id ?? 0 }));
    const refused = { kind: "paused", reason: "code 190", by: "refusal" } as const;
    for (const route of [PIXEL, `${PIXEL}/TEST1`])
      await own.db.transaction((tx) => changeRoute(tx, own.db, { destination: "meta", route }, refused));
    const change = { meta_pixel_id: OTHER, meta_access_token: "EAAsandboxtoken9876543210" };
    await updatePool({ db: own.db, secrets: testSecrets, now: () => new Date() }, "test", "one", change);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 2 });
    expect(await own.db.$count(tables.outboxRoutes)).toBe(0);
  });

  test("a pixel without any token is paused with what to do about it, and goes when a new pool has one", async () => {
    await enqueueEvents(own.db, OTHER, events(1));
    await dispatcher().drain();
    const [route] = await own.db.select().from(own.db.tables.outboxRoutes);
    expect(route?.pausedReason).toContain("ponte pool update");
    expect(await statusCounts(own.db)).toEqual({ pending: 1 });
    const draft = {
      slug: "other",
      meta_pixel_id: OTHER,
      meta_access_token: "EAAtest-token-0123456789",
      bots: [{ username: "other_bot" }],
    };
    await createPool({ db: own.db, secrets: testSecrets, now: () => new Date() }, "test", draft);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 1 });
  });
});
