import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import type { GraphAnswer } from "../../src/meta/graph-client.ts";
import { createMetaClock } from "../../src/outbox/meta-clock.ts";
import { type RunningSandbox, startSandbox } from "../../src/sandbox/app.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addSendingPool, enqueueEvents, pageView, statusCounts, testDispatcher } from "../support/outbox.ts";

const PIXEL = "1111111111";
const HOUR_MS = 3_600_000;

describe(`a clock that is ahead of Meta's, on ${testDialect}`, () => {
  let behindMs = 0;
  let meta: RunningSandbox;
  let own: TestDatabase;
  beforeAll(async () => {
    meta = await startSandbox({ now: () => Date.now() - behindMs });
  });
  afterAll(() => meta.stop());
  beforeEach(async () => {
    meta.events.clear();
    own = await createTestDatabase();
    await addSendingPool(own.db, "one", PIXEL);
  });

  const justNow = (eventId: string) => pageView(eventId, Math.floor(Date.now() / 1_000));

  /** The outcomes of the requests so far. */
  async function outcomes() {
    const { outboxAttempts } = own.db.tables;
    const rows = await own.db.select().from(outboxAttempts).orderBy(outboxAttempts.id);
    return rows.map(({ outcome }) => outcome);
  }

  test.each([3_000, 2 * HOUR_MS, 400 * 24 * HOUR_MS])("by %d ms kills no event", async (aheadMs) => {
    behindMs = aheadMs;
    const dispatcher = testDispatcher(own.db, meta.url);
    const events = Array.from({ length: 50 }, (_, i) => justNow(`e${i}`));
    await enqueueEvents(own.db, PIXEL, events);
    await dispatcher.drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 50 });
    expect(await outcomes()).toEqual(["outdated", "delivered"]);
    const { outbox } = own.db.tables;
    expect(new Set((await own.db.select().from(outbox)).map(({ attempts }) => attempts))).toEqual(
      new Set([1]),
    );

    // It is known from then on.
    await enqueueEvents(own.db, PIXEL, [justNow("later")]);
    await dispatcher.drain();
    expect(await outcomes()).toEqual(["outdated", "delivered", "delivered"]);

    // Put right, it counts again: nothing is reported as of that long ago.
    behindMs = 0;
    for (const eventId of ["learns", "counts"]) {
      await enqueueEvents(own.db, PIXEL, [pageView(eventId)]);
      await dispatcher.drain();
    }
    const [counts] = meta.events.list().filter(({ event }) => event.event_id === "counts");
    expect(counts?.event.event_time).toBeGreaterThan((Date.now() - HOUR_MS) / 1_000);
    await own.dispose();
  });

  test("still lets a bad event die alone, with Meta's words", async () => {
    behindMs = 2 * HOUR_MS;
    const bad = { ...justNow("b"), user_data: { em: ["no digest"] } };
    await enqueueEvents(own.db, PIXEL, [justNow("a"), justNow("b"), justNow("c")]);
    const { outboxEvents } = own.db.tables;
    await own.db.transaction((tx) =>
      tx.update(outboxEvents).set({ payload: bad }).where(eq(outboxEvents.eventId, "b")),
    );
    await testDispatcher(own.db, meta.url).drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 2, dead: 1 });
    await own.dispose();
  });

  test("is not believed of a proxy that writes its own time, a month behind: only the bad event ends", async () => {
    behindMs = 0;
    using proxy = Bun.serve({
      port: 0,
      async fetch(request) {
        const { pathname } = new URL(request.url);
        const body = await request.text();
        const headers = { "content-type": "application/json" };
        const answer = await fetch(meta.url + pathname, { method: "POST", headers, body });
        const date = new Date(Date.now() - 30 * 24 * HOUR_MS).toUTCString();
        return new Response(await answer.text(), { status: answer.status, headers: { ...headers, date } });
      },
    });
    await enqueueEvents(own.db, PIXEL, ["a", "b", "c", "d"].map(justNow));
    const { outboxEvents } = own.db.tables;
    const bad = { ...justNow("b"), user_data: { em: ["no digest"] } };
    await own.db.transaction((tx) =>
      tx.update(outboxEvents).set({ payload: bad }).where(eq(outboxEvents.eventId, "b")),
    );
    const dispatcher = testDispatcher(own.db, proxy.url.origin);
    await dispatcher.drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 3, dead: 1 });
    expect((await outcomes()).slice(0, 2)).toEqual(["outdated", "outdated"]);
    await enqueueEvents(own.db, PIXEL, ["e", "f"].map(justNow));
    await dispatcher.drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 5, dead: 1 });
    await own.dispose();
  });
});

describe("what answers tell of Meta's clock", () => {
  const answer = (date: string | undefined): GraphAnswer => ({
    kind: "answered",
    status: 400,
    headers: date === undefined ? {} : { date },
    body: "",
    durationMs: 10,
  });
  const metaMs = Date.UTC(2026, 0, 1);
  const dated = answer(new Date(metaMs).toUTCString());

  test.each([
    ["says no time", answer(undefined)],
    ["says rubbish", answer("yesterday")],
    ["did not come", { kind: "unanswered", error: "time-out", durationMs: 10 } as const],
  ])("is nothing where one %s", (_, none) => {
    const clock = createMetaClock();
    expect(clock.refused(none, 9e9)).toBe(false);
    expect(clock.latestSeconds(metaMs)).toBe(metaMs / 1_000);
  });

  test("is forgotten where it was wrong, and not learnt again; another time is", () => {
    const clock = createMetaClock(() => 5);
    expect(clock.misled()).toBe(false);
    const claimedAtMs = metaMs + 400 * 24 * HOUR_MS;
    expect(clock.refused(dated, claimedAtMs / 1_000)).toBe(true);
    expect(clock.misled()).toBe(true);
    expect(clock.latestSeconds(claimedAtMs)).toBe(claimedAtMs / 1_000);
    expect(clock.refused(dated, claimedAtMs / 1_000)).toBe(false);
    const right = answer(new Date(metaMs + 30 * 24 * HOUR_MS).toUTCString());
    expect(clock.refused(right, claimedAtMs / 1_000)).toBe(true);
  });

  test("explains no refusal of events that lay in its past, nor the same refusal twice, and follows the clock that is put right", () => {
    let uptimeMs = 5;
    const clock = createMetaClock(() => uptimeMs);
    const claimedAtMs = metaMs + HOUR_MS;
    expect(clock.refused(dated, metaMs / 1_000)).toBe(false);
    expect(clock.refused(dated, clock.latestSeconds(claimedAtMs))).toBe(true);
    expect(clock.refused(dated, clock.latestSeconds(claimedAtMs))).toBe(false);
    uptimeMs += 10_000;
    expect(clock.latestSeconds(claimedAtMs)).toBe(metaMs / 1_000 + 10);
    // Put right, it counts again, from the next answer on alone.
    expect(clock.latestSeconds(metaMs + 9_000)).toBe(metaMs / 1_000 + 9);
    clock.taken(dated, metaMs + 1_500);
    expect(clock.latestSeconds(claimedAtMs)).toBe(metaMs / 1_000);
    clock.taken(dated, metaMs);
    expect(clock.latestSeconds(claimedAtMs)).toBe(claimedAtMs / 1_000);
  });
});
