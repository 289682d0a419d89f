import { describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { changeRoute } from "../../src/outbox/change-route.ts";
import { deliver } from "../../src/outbox/deliver.ts";
import { claim, REQUEST_TIMEOUT_MS } from "../../src/outbox/lease.ts";
import type { RouteKey } from "../../src/outbox/routes.ts";
import { createLog } from "../../src/platform/log.ts";
import { testDialect } from "../support/database.ts";
import { addRows, enqueueEvents, pageView, passTime, statusCounts } from "../support/outbox.ts";
import { events, OTHER, PIXEL, useDispatchers } from "./dispatching.ts";

const { own, dispatcher, fault, posts } = useDispatchers();

describe(`breaker of a dispatcher on ${testDialect}`, () => {
  test("the breaker opens after five failures in a row; a small probe closes it again", async () => {
    await fault({ mode: "500", times: 5 });
    await enqueueEvents(own.db, PIXEL, events(40));
    for (let i = 0; i < 5; i++) {
      await dispatcher().drain();
      await own.db.transaction((tx) =>
        tx.rows(
          sql`update outbox set available_at = ${own.db.dialect.plusMs(own.db.dialect.now, -1)} returning id`,
        ),
      );
    }
    const { outboxRoutes } = own.db.tables;
    const [open] = await own.db.select().from(outboxRoutes);
    expect(open).toMatchObject({ failures: 5 });
    expect((open?.openUntil?.getTime() ?? 0) - (open?.updatedAt.getTime() ?? 0)).toBe(1_000);
    // A busy machine may need longer for what follows.
    const openUntil = sql<Date>`${own.db.dialect.plusMs(own.db.dialect.now, 60_000)}`;
    await own.db.transaction((tx) => tx.update(outboxRoutes).set({ openUntil }));
    await dispatcher().drain();
    expect(posts()).toHaveLength(5);

    await passTime(own.db);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 40 });
    expect(posts()[5]?.events).toBe(10);
    const [closed] = await own.db.select().from(outboxRoutes);
    expect(closed).toMatchObject({ failures: 0, openUntil: null });
  });

  /** A route whose breaker opened, and whose rest is over. */
  async function letProbe(key: RouteKey): Promise<void> {
    for (let i = 0; i < 5; i++) {
      await own.db.transaction((tx) => changeRoute(tx, own.db, key, { kind: "failed" }));
    }
    await passTime(own.db);
  }

  test("a probe that gets through makes due what waits, but for rows that failed even alone", async () => {
    const key = { destination: "meta" as const, route: PIXEL };
    await letProbe(key);
    await addRows(own.db, 1, key);
    for (const attempts of [13, 14]) await addRows(own.db, 1, { ...key, attempts, availableInMs: 3_600_000 });
    await dispatcher().drain();
    const { outboxProgress } = own.db.tables;
    const rows = await own.db.select().from(outboxProgress).orderBy(outboxProgress.id);
    expect(rows.map(({ status, attempts }) => [status, attempts])).toEqual([
      ["delivered", 1],
      ["delivered", 14],
      ["pending", 14],
    ]);
  });

  test("a delivery where no breaker had opened leaves what failed to its own time", async () => {
    const key = { destination: "meta" as const, route: PIXEL };
    await own.db.transaction((tx) => changeRoute(tx, own.db, key, { kind: "failed" }));
    await addRows(own.db, 1, key);
    await addRows(own.db, 1, { ...key, attempts: 3, availableInMs: 3_600_000 });
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 1, pending: 1 });
  });

  test("a probe takes the rows that failed the least, though others have been due for longer", async () => {
    const key = { destination: "meta" as const, route: PIXEL };
    await letProbe(key);
    await addRows(own.db, 2, { ...key, attempts: 13, availableInMs: -60_000 });
    await addRows(own.db, 2, key);
    await fault({ mode: "500", times: 1 });
    await dispatcher().drain();
    expect(posts()).toHaveLength(1);
    const { outboxProgress } = own.db.tables;
    const rows = await own.db.select().from(outboxProgress).orderBy(outboxProgress.id);
    expect(rows.map(({ attempts }) => attempts)).toEqual([13, 13, 1, 1]);
  });

  test("nobody else probes while a probe's request may still be answered", async () => {
    await enqueueEvents(own.db, PIXEL, events(2));
    const key = { destination: "meta" as const, route: PIXEL };
    await letProbe(key);
    expect(await claim(own.db, "first", { ...key, limit: 1, isProbe: true })).toHaveLength(1);
    const { outboxRoutes } = own.db.tables;
    const openUntil = own.db.dialect.epochMs(sql`${outboxRoutes.openUntil}`);
    const [row] = await own.db.rows<{ ms: number | string }>(
      sql`select ${openUntil} - ${own.db.dialect.epochMs(own.db.dialect.now)} as ms from ${outboxRoutes}`,
    );
    expect(Number(row?.ms)).toBeGreaterThan(REQUEST_TIMEOUT_MS);
    expect(await claim(own.db, "second", { ...key, limit: 1, isProbe: true })).toEqual([]);
  });

  test("who probes one pixel keeps nobody from another", async () => {
    const one = { destination: "meta" as const, route: PIXEL };
    const another = { ...one, route: OTHER };
    for (const key of [one, another]) {
      await letProbe(key);
      await enqueueEvents(own.db, key.route, events(1, key.route));
    }
    expect(await claim(own.db, "first", { ...one, limit: 1, isProbe: true })).toHaveLength(1);
    expect(await claim(own.db, "second", { ...another, limit: 1, isProbe: true })).toHaveLength(1);
    expect(await claim(own.db, "third", { ...another, limit: 1, isProbe: true })).toEqual([]);
  });

  test("a breaker that a clock days ahead opened does not stay open for days", async () => {
    const { now, plusMs } = own.db.dialect;
    const { outboxRoutes } = own.db.tables;
    await enqueueEvents(own.db, PIXEL, events(3));
    await own.db.transaction((tx) =>
      tx.insert(outboxRoutes).values({
        destination: "meta",
        route: PIXEL,
        failures: 5,
        openUntil: sql<Date>`${plusMs(now, 90 * 86_400_000)}`,
        updatedAt: sql<Date>`${now}`,
      }),
    );
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 3 });
    expect(await own.db.select().from(outboxRoutes)).toMatchObject([{ failures: 0, openUntil: null }]);
  });

  test("a probe whose rows are all too old sends nothing, and leaves the right to the next one", async () => {
    const key = { destination: "meta" as const, route: PIXEL };
    const weekAgo = Math.floor(Date.now() / 1000) - 8 * 86_400;
    await addRows(own.db, 25, { ...key, payload: pageView("old", weekAgo) });
    await addRows(own.db, 3, { ...key, payload: pageView("new"), availableInMs: 1 });
    await letProbe(key);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ expired: 25, delivered: 3 });
    expect(posts()).toHaveLength(1);
  });

  test("a probe that is asked to slow down leaves the right to the next one: the other side answers again", async () => {
    const key = { destination: "meta" as const, route: PIXEL };
    await enqueueEvents(own.db, PIXEL, events(1));
    await letProbe(key);
    await fault({ mode: "429", times: 1, retry_after: 60 });
    await dispatcher().drain();
    const [route] = await own.db.select().from(own.db.tables.outboxRoutes);
    expect(route).toMatchObject({ openUntil: null, throttledUntil: expect.any(Date) });
  });

  test("a probe that finds no rows any more leaves the right to the next one", async () => {
    const key = { destination: "meta" as const, route: PIXEL, limit: 10, isProbe: true };
    await letProbe(key);
    expect(await claim(own.db, "too late", key)).toEqual([]);
    await enqueueEvents(own.db, PIXEL, events(1));
    expect(await claim(own.db, "next", key)).toHaveLength(1);
  });

  test("a probe whose process stops before it asked leaves the right to the next one", async () => {
    const key = { destination: "meta" as const, route: PIXEL };
    await enqueueEvents(own.db, PIXEL, events(1));
    await letProbe(key);
    const rows = await claim(own.db, "stopping", { ...key, limit: 10, isProbe: true });
    const adapter = {
      maxBatch: 10,
      isExpired: () => false,
      send: async () => {
        throw new Error("nothing is sent any more");
      },
    };
    const deps = { db: own.db, log: createLog("silent"), onSettled: async () => undefined };
    await deliver(
      { ...deps, adapter, onRequest: () => undefined, signal: AbortSignal.abort() },
      {
        key,
        leaseId: "stopping",
        rows,
        standing: { failures: 5, throttles: 0, unexplained: 0 },
        takenAtMs: Date.now(),
        streak: { unexplained: 0, hasCounted: false },
      },
    );
    expect(await claim(own.db, "next", { ...key, limit: 10, isProbe: true })).toHaveLength(1);
  });
});
