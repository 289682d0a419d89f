import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import postgres from "postgres";
import { recordCookies } from "../../src/cookies/record-cookies.ts";
import type { Tx } from "../../src/db/database.ts";
import { changeRoute } from "../../src/outbox/change-route.ts";
import { claim } from "../../src/outbox/lease.ts";
import { replay } from "../../src/outbox/replay.ts";
import { poolCredentialChanged, resumeRoute } from "../../src/outbox/resume-route.ts";
import { settle } from "../../src/outbox/settle.ts";
import { eraseEvents } from "../../src/privacy/outbox-events.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addRows, bothAtOnce, emptyOutbox, turnRound } from "../support/outbox.ts";
import { addPool } from "../support/pools.ts";
import { untilHeldUp } from "../support/until-held-up.ts";
import { visitsOf } from "../support/visits.ts";

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.dispose());
beforeEach(() => emptyOutbox(own.db));

const PIXEL = { destination: "meta", route: "500" } as const;
const LANE = { destination: "meta", route: "500/T1" } as const;

const row = async () => (await own.db.select().from(own.db.tables.outbox))[0];

/**
 * Does `work` in a transaction, begins `other`, and only when that waits for it, or is done, does what `remains` and
 * commits; on SQLite transactions take turns. Resolves when both are done.
 */
async function meanwhile<T>(
  work: (tx: Tx) => Promise<unknown>,
  other: () => Promise<T>,
  remains: (tx: Tx) => Promise<unknown> = async () => undefined,
): Promise<T> {
  const { promise: commit, resolve: letGo } = Promise.withResolvers<void>();
  const { promise: done, resolve: isDone } = Promise.withResolvers<void>();
  const working = own.db.transaction(async (tx) => {
    await work(tx);
    isDone();
    await commit;
    await remains(tx);
  });
  await done;
  const others = other();
  await untilHeldUp(own.db, others);
  letGo();
  await working;
  return others;
}

describe(`two at one event, on ${testDialect}`, () => {
  test("what a browser reports is sent, whoever comes first", async () => {
    const visit = visitsOf(await addPool(own.db, { slug: "races" }))();
    await own.db.recordArrivals((writer) => recordVisits(writer, own.db.tables, [visit]));
    const { trackingToken } = visit;
    const reports = [{ trackingToken, report: { fbi: "177.45.10.77.AQYCAQMB" } }];
    const take = () => claim(own.db, "lease", { destination: "meta", route: "1234567890", limit: 10 });
    const during = await meanwhile((tx) => recordCookies(tx, own.db, reports), take);
    const taken = [...during, ...(await take())];
    expect(taken).toHaveLength(1);
    expect(taken[0]?.payload).toContain("177.45.10.77");
    expect(await row()).toMatchObject({ status: "sending", payload: JSON.parse(taken[0]?.payload ?? "") });
  });

  test("what is erased while somebody retries it stays erased", async () => {
    const [id = 0] = await addRows(own.db, 1, { status: "discarded" });
    const retried = await meanwhile(
      (tx) => eraseEvents(tx, own.db, [id]),
      () => replay(own.db, "retry", { ids: [id] }),
    );
    expect(retried).toBe(0);
    expect(await row()).toMatchObject({ status: "discarded", payload: { erased: true } });
  });

  test.each<[string, (tx: Tx) => Promise<unknown>]>([
    ["is resumed", (tx) => resumeRoute(tx, own.db, LANE)],
    ["gets another token", (tx) => poolCredentialChanged(tx, own.db, PIXEL.route)],
  ])("a lane that %s while it is told to rest keeps nobody waiting, and rests no more", async (_, change) => {
    const { db } = own;
    const { outboxRoutes } = db.tables;
    const rest = { kind: "throttled", forMs: 60_000 } as const;
    await db.transaction((tx) => changeRoute(tx, db, PIXEL, rest));
    await db.transaction((tx) => changeRoute(tx, db, LANE, rest));
    await meanwhile(
      (tx) => tx.update(outboxRoutes).set({ throttles: 2 }).where(eq(outboxRoutes.route, LANE.route)),
      () => db.transaction(change),
      (tx) => changeRoute(tx, db, LANE, rest),
    );
    expect(await db.$count(outboxRoutes, sql`${outboxRoutes.throttledUntil} is not null`)).toBe(0);
    expect(await db.$count(outboxRoutes, eq(outboxRoutes.route, LANE.route))).toBe(0);
    await db.transaction((tx) => tx.delete(outboxRoutes));
  });

  test("no browser's report waits crosswise for who retries the same events, in whatever order they lie", async () => {
    const { db } = own;
    const { outbox } = db.tables;
    const next = visitsOf(await addPool(db, { slug: "crosswise" }));
    const visits = [next(), next()];
    await db.recordArrivals((writer) => recordVisits(writer, db.tables, visits));
    const ids = (await db.select().from(outbox).orderBy(outbox.id)).map(({ id }) => id);
    await turnRound(db, ids);
    const report = { fbi: "177.45.10.77.AQYCAQMB" };
    const reports = visits.map(({ trackingToken }) => ({ trackingToken, report }));
    const both = bothAtOnce(
      db,
      ids,
      () => replay(db, "retry", { ids }),
      () => db.transaction((tx) => recordCookies(tx, db, reports)),
    );
    expect(await both).toEqual([2, true]);
  });

  describe.skipIf(testDialect === "sqlite")("an operator's own SQL", () => {
    const byHand = async (statement: string) => {
      const operator = postgres(own.url, { max: 1, onnotice: () => undefined });
      const { count } = await operator.unsafe(statement);
      await operator.end();
      return count;
    };

    test("does not bring back what is erased meanwhile", async () => {
      const [id = 0] = await addRows(own.db, 1);
      const changed = await meanwhile(
        (tx) => eraseEvents(tx, own.db, [id]),
        () => byHand("update outbox set available_at = now() where status = 'pending'"),
      );
      expect(changed).toBe(0);
      expect(await row()).toMatchObject({ status: "discarded", payload: { erased: true } });
    });

    test("does not bring back what is erased from a delivered event", async () => {
      const [id = 0] = await addRows(own.db, 1, { status: "delivered" });
      await meanwhile(
        (tx) => eraseEvents(tx, own.db, [id]),
        () => byHand("update outbox set tracking_token = null where status = 'delivered'"),
      );
      expect(await row()).toMatchObject({ status: "delivered", payload: { erased: true } });
    });

    test("does not undo what is delivered meanwhile", async () => {
      await addRows(own.db, 1);
      const rows = await claim(own.db, "lease", { destination: "meta", route: "123", limit: 1 });
      const delivered = { kind: "delivered", fbtraceId: null, note: null } as const;
      const changed = await meanwhile(
        (tx) => settle(tx, own.db, "lease", rows, delivered),
        () => byHand("update outbox set route = '9' where status in ('pending', 'sending')"),
      );
      expect(changed).toBe(0);
      expect(await row()).toMatchObject({ status: "delivered", route: "123", leaseId: null });
    });

    test("deletes nothing that is taken meanwhile", async () => {
      const [id = 0] = await addRows(own.db, 1);
      const { outboxProgress } = own.db.tables;
      const changed = await meanwhile(
        (tx) =>
          tx.update(outboxProgress).set({ status: "sending", leaseId: "x" }).where(eq(outboxProgress.id, id)),
        () => byHand("delete from outbox where status = 'pending'"),
      );
      expect(changed).toBe(0);
      expect(await row()).toMatchObject({ id, status: "sending" });
    });
  });
});
