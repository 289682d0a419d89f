import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import { openSpool, type Spool } from "../../src/db/spool/spool.ts";
import { QueueFullError } from "../../src/db/waiting-list.ts";
import { lookUpTokens } from "../../src/outbox/pixel-tokens.ts";
import { createLog } from "../../src/platform/log.ts";
import { createSecrets } from "../../src/platform/secrets.ts";
import { yieldToEventLoop } from "../../src/platform/yield-to-event-loop.ts";
import { deletePool } from "../../src/pools/manage-pools.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import { pageViewOf } from "../../src/redirect/visit-page-view.ts";
import { sessionOf, type VisitRecord } from "../../src/redirect/visit-record.ts";
import { createVisitRecorder, type VisitWriter } from "../../src/redirect/visit-recorder.ts";
import {
  createSqliteFolder,
  createTestDatabase,
  type TestDatabase,
  testDialect,
} from "../support/database.ts";
import { heldDatabase } from "../support/held-database.ts";
import { addPool } from "../support/pools.ts";
import { until } from "../support/until.ts";
import { untilHeldUp } from "../support/until-held-up.ts";
import { visitsOf, writerOn } from "../support/visits.ts";

const log = createLog("silent");

let own: TestDatabase;
let spool: Spool;
let visit: (query?: string) => VisitRecord;

beforeEach(async () => {
  own = await createTestDatabase();
  spool = openSpool(":memory:");
  visit = visitsOf(await addPool(own.db, { slug: "open" }));
});
afterEach(async () => {
  spool.close();
  await own.dispose();
});

/** The database, which can be cut off, hung or be slow to answer. */
function unreliable(db: Database) {
  const state: { mode: "fine" | "refuses" | "hangs" } = { mode: "fine" };
  const trouble = () =>
    state.mode === "hangs"
      ? new Promise<never>(() => undefined)
      : Promise.reject(new Error("connection refused"));
  return {
    state,
    db: {
      ...db,
      transaction: (work) => (state.mode === "fine" ? db.transaction(work) : trouble()),
      recordArrivals: (work) => (state.mode === "fine" ? db.recordArrivals(work) : trouble()),
    } satisfies Database,
  };
}

/** A writer that tells how many visits each of its batches had. */
function counted({ write }: VisitWriter) {
  const written: number[] = [];
  const writer: VisitWriter = {
    write(visits) {
      written.push(visits.length);
      return write(visits);
    },
  };
  return { written, writer };
}

async function contents() {
  const { sessions, outbox, pools, poolBots } = own.db.tables;
  const [pool] = await own.db.select().from(pools);
  const [member] = await own.db.select().from(poolBots);
  return {
    sessions: await own.db.$count(sessions),
    events: await own.db.$count(outbox),
    redirects: [pool?.totalRedirects, member?.totalRedirects],
  };
}

describe(`visit recorder on ${testDialect}`, () => {
  test("visits, their events and the counters are committed together", async () => {
    const recorder = createVisitRecorder({ db: own.db, writer: writerOn(own.db), spool, log });
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => recorder.record(visit())));
    expect(new Set(outcomes)).toEqual(new Set(["committed"]));
    expect(await contents()).toEqual({ sessions: 50, events: 50, redirects: [50, 50] });
    await recorder.close();
  });

  test("a visit that is there already counts once, and keeps nobody out who came with it", async () => {
    const { write } = writerOn(own.db);
    const [known, other, fresh] = [visit(), visit(), visit()];
    await write([known]);
    await write([known, other, fresh]);
    await write([other, known]);
    expect(await contents()).toEqual({ sessions: 3, events: 3, redirects: [3, 3] });
  });

  test("a batch that waits for its pool, and the replay of its visits, do not wait crosswise", async () => {
    const { db } = own;
    const { pools } = db.tables;
    const late = visit();
    const { promise: isEdited, resolve: endEdit } = Promise.withResolvers<void>();
    const edit = db.transaction(async (tx) => {
      await tx.update(pools).set({ name: "edited" });
      await isEdited;
    });
    const batch = writerOn(db).write([late]);
    await untilHeldUp(db, batch);
    const replay = db.transaction((tx) => recordVisits(tx, db.tables, [late]));
    await untilHeldUp(db, replay, 2);
    endEdit();
    await Promise.all([edit, batch, replay]);
    expect(await contents()).toEqual({ sessions: 1, events: 1, redirects: [1, 1] });
  });

  test.skipIf(testDialect === "sqlite")(
    "a batch that waits for one pool keeps nobody from another: two batches never wait crosswise",
    async () => {
      const { db } = own;
      const { pools } = db.tables;
      const visitOther = visitsOf(await addPool(db, { slug: "other" }));
      const rename = (slug: string, meanwhile?: Promise<void>) =>
        db.transaction(async (tx) => {
          await tx.update(pools).set({ name: "edited" }).where(eq(pools.slug, slug));
          await meanwhile;
        });
      // Lies behind the other one now, as it does in the batch.
      await rename("open");
      const { promise: isEdited, resolve: endEdit } = Promise.withResolvers<void>();
      const edit = rename("open", isEdited);
      const batch = writerOn(db).write([visitOther(), visit()]);
      await untilHeldUp(db, batch);
      await rename("other");
      endEdit();
      await Promise.all([edit, batch]);
      expect(await contents()).toMatchObject({ sessions: 2, events: 2 });
    },
  );

  test("a visit whose event is there, but its session no longer, comes in and is not reported again", async () => {
    const { db } = own;
    const again = visit();
    await writerOn(db).write([again]);
    await db.transaction((tx) => tx.delete(db.tables.sessions));
    await writerOn(db).write([again, visit()]);
    expect(await contents()).toMatchObject({ sessions: 2, events: 2 });
  });

  test.each(["refuses", "hangs"] as const)(
    "a database that %s sends visits to the spool, and a replay brings them in once",
    async (mode) => {
      const { db, state } = unreliable(own.db);
      const recorder = createVisitRecorder({ db, writer: writerOn(db), spool, log, deadlineMs: 1_000 });
      state.mode = mode;
      const lost = Array.from({ length: 20 }, (_, i) => visit(`fbclid=click${i}&utm_source=%C3%A9`));
      const outcomes = await Promise.all(lost.map(recorder.record));
      expect(new Set(outcomes)).toEqual(new Set(["spooled"]));
      expect(spool.counts().waiting).toBe(20);
      expect((await contents()).sessions).toBe(0);

      state.mode = "fine";
      // It may have begun to by itself, once a second.
      await recorder.replay();
      expect(spool.counts()).toEqual({ waiting: 0, setAside: 0 });
      expect(await contents()).toEqual({ sessions: 20, events: 20, redirects: [20, 20] });
      const first = lost[0];
      const { sessions, outbox } = own.db.tables;
      const [row] = await own.db
        .select()
        .from(sessions)
        .where(eq(sessions.trackingToken, first?.trackingToken ?? ""));
      expect(row).toEqual(expect.objectContaining({ ...(first && sessionOf(first)) }));
      const [event] = await own.db
        .select()
        .from(outbox)
        .where(eq(outbox.eventId, `evt_${first?.trackingToken}`));
      expect(event?.payload).toEqual((first && pageViewOf(first, sessionOf(first))?.payload) ?? {});

      expect(await recorder.record(visit())).toBe("committed");
      await recorder.close();
    },
  );

  test("however many wait for a database that hangs, all are spooled when the first batch gives up", async () => {
    const { db, state } = unreliable(own.db);
    state.mode = "hangs";
    const { written, writer } = counted(writerOn(db));
    const recorder = createVisitRecorder({ db, writer, spool, log, deadlineMs: 50 });
    const outcomes = await Promise.all(Array.from({ length: 3_000 }, () => recorder.record(visit())));
    expect(new Set(outcomes)).toEqual(new Set(["spooled"]));
    expect(spool.counts().waiting).toBe(3_000);
    // What was under way at once waited together; each further batch would have been another deadline to wait.
    expect(written).toHaveLength(db.arrivalsAtOnce);
    await recorder.close();
  });

  test("who comes while a database hangs waits out the deadline at most once", async () => {
    const { db, state } = unreliable(own.db);
    const { written, writer } = counted(writerOn(db));
    const recorder = createVisitRecorder({ db, writer, spool, log, deadlineMs: 1_000 });
    state.mode = "hangs";
    const recorded: Promise<string>[] = [];
    const underWay = Array<number>(db.arrivalsAtOnce).fill(1);
    while (recorded.length < underWay.length) {
      recorded.push(recorder.record(visit()));
      await until(() => written.length >= recorded.length, 1);
    }
    recorded.push(recorder.record(visit()));
    expect(new Set(await Promise.all(recorded))).toEqual(new Set(["spooled"]));
    expect(written).toEqual(underWay);
    await recorder.close();
  });

  test("who comes after a database was found to hang does not wait for it at all", async () => {
    const { db, state } = unreliable(own.db);
    const { written, writer } = counted(writerOn(db));
    const recorder = createVisitRecorder({ db, writer, spool, log, deadlineMs: 50 });
    state.mode = "hangs";
    for (let i = 0; i < 3; i++) expect(await recorder.record(visit())).toBe("spooled");
    expect(written).toEqual([1]);
    await recorder.close();
  });

  test("more than can wait for the database are refused, and do not fill the disk of a machine that is flooded", async () => {
    const gate = Promise.withResolvers<void>();
    const writer = { write: () => gate.promise };
    const recorder = createVisitRecorder({ db: own.db, writer, spool, log, deadlineMs: 60_000 });
    const flood = Promise.allSettled(Array.from({ length: 25_000 }, () => recorder.record(visit())));
    await yieldToEventLoop();
    gate.resolve();
    const refused = (await flood).filter(({ status }) => status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toMatchObject({ reason: expect.any(QueueFullError) });
    expect(spool.counts().waiting).toBe(0);
    await recorder.close();
  });

  test("more than can wait for the spool are refused: they are not sent to a database that is away", async () => {
    const { db, state } = unreliable(own.db);
    const { written, writer } = counted(writerOn(db));
    const recorder = createVisitRecorder({ db, writer, spool, log });
    state.mode = "refuses";
    expect(await recorder.record(visit())).toBe("spooled");
    const flood = Array.from({ length: 20_001 }, () => recorder.record(visit()));
    const refused = (await Promise.allSettled(flood)).filter(({ status }) => status === "rejected");
    expect(refused).toMatchObject([{ reason: expect.any(QueueFullError) }]);
    expect(written).toEqual([1]);
    await recorder.close();
  });

  test("who waits behind many, for a database that is slow and takes them all the same, is spooled in time", async () => {
    const writer = { write: () => Bun.sleep(60) };
    // Counted as they come: where this takes more than a second, the first of them are brought in again.
    let spooled = 0;
    const append: Spool["append"] = (documents) => {
      spool.append(documents);
      spooled += documents.length;
    };
    const counting = { ...spool, append };
    const recorder = createVisitRecorder({ db: own.db, writer, spool: counting, log, deadlineMs: 150 });
    const outcomes = await Promise.all(Array.from({ length: 6_000 }, () => recorder.record(visit())));
    const committed = outcomes.filter((outcome) => outcome === "committed").length;
    expect(committed).toBeGreaterThan(0);
    expect(spooled).toBe(6_000 - committed);
    expect(committed).toBeLessThan(6_000);
    await recorder.close();
  });

  test("a spool that takes nothing keeps no visit from a database that is back", async () => {
    const { db, state } = unreliable(own.db);
    let appended = 0;
    const append = () => {
      appended++;
      throw new Error("disk full");
    };
    const full = { ...spool, append };
    const recorder = createVisitRecorder({ db, writer: writerOn(db), spool: full, log });
    state.mode = "refuses";
    await expect(recorder.record(visit())).rejects.toThrow("connection refused");
    state.mode = "fine";
    expect(await recorder.record(visit())).toBe("committed");
    const before = appended;
    expect(await recorder.record(visit())).toBe("committed");
    expect(appended).toBe(before);
    expect((await contents()).sessions).toBe(2);
    await recorder.close();
  });

  test("a spool that takes nothing for a moment sends nobody else to a database that hangs", async () => {
    const gate = Promise.withResolvers<void>();
    let tries = 0;
    const writer: VisitWriter = {
      write: (visits) =>
        visits.length > 0 && ++tries === 1 ? Promise.reject(new Error("connection refused")) : gate.promise,
    };
    let isFull = false;
    const append: Spool["append"] = (documents) => {
      if (isFull) throw new Error("disk full");
      spool.append(documents);
    };
    const recorder = createVisitRecorder({
      db: own.db,
      writer,
      spool: { ...spool, append },
      log,
      deadlineMs: 60_000,
    });
    expect(await recorder.record(visit())).toBe("spooled");
    isFull = true;
    const refused = recorder.record(visit());
    await until(() => tries === 2, 1);
    isFull = false;
    expect(await recorder.record(visit())).toBe("spooled");
    gate.resolve();
    expect(await refused).toBe("committed");
    await recorder.close();
  });

  test("a visit whose commit went through unseen counts once when the spool is replayed", async () => {
    const recorder = createVisitRecorder({ db: own.db, writer: writerOn(own.db), spool, log });
    const twice = visit();
    await recorder.record(twice);
    spool.append([{ key: twice.trackingToken, body: JSON.stringify(twice) }]);
    await recorder.replay();
    expect(await contents()).toEqual({ sessions: 1, events: 1, redirects: [1, 1] });
    await recorder.close();
  });

  test("a spooled visit can be brought in before its turn, and counts once", async () => {
    const { db, state } = unreliable(own.db);
    const recorder = createVisitRecorder({ db, writer: writerOn(db), spool, log });
    state.mode = "refuses";
    const [early, later] = [visit(), visit()];
    await Promise.all([early, later].map(recorder.record));
    await expect(recorder.recall(early.trackingToken)).rejects.toThrow("connection refused");
    state.mode = "fine";
    expect(await recorder.recall(early.trackingToken)).toBe(true);
    expect(await recorder.recall(early.trackingToken)).toBe(false);
    expect(await contents()).toEqual({ sessions: 1, events: 1, redirects: [1, 1] });
    await recorder.replay();
    expect(await contents()).toEqual({ sessions: 2, events: 2, redirects: [2, 2] });
    await recorder.close();
  });

  test.each([
    ["that is none", { poolId: "x".repeat(3), trackingToken: null }],
    ["with a time that no database takes", { atMs: 1e300 }],
  ])("a visit %s can never be stored: it is kept, set aside, and its neighbours go in", async (_, fault) => {
    const recorder = createVisitRecorder({ db: own.db, writer: writerOn(own.db), spool, log });
    const good = visit();
    const bad = visit();
    spool.append([
      { key: bad.trackingToken, body: JSON.stringify({ ...bad, ...fault }) },
      { key: good.trackingToken, body: JSON.stringify(good) },
    ]);
    await recorder.replay();
    expect(spool.counts()).toEqual({ waiting: 0, setAside: 1 });
    expect(spool.count([bad.trackingToken])).toBe(1);
    expect((await contents()).sessions).toBe(1);
    await recorder.close();
  });

  test("a visit that no database takes goes to the spool alone: neither who came with it nor who comes next does", async () => {
    const recorder = createVisitRecorder({ db: own.db, writer: writerOn(own.db), spool, log });
    const together = [visit(), { ...visit(), atMs: 1e300 }, visit()].map(recorder.record);
    expect(await Promise.all(together)).toEqual(["committed", "spooled", "committed"]);
    expect(await recorder.record(visit())).toBe("committed");
    await recorder.close();
  });

  test("that the spool could be brought in sends nobody to a writer whose own connections are still away", async () => {
    const { db, state } = unreliable(own.db);
    const { written, writer } = counted(writerOn(db));
    const recorder = createVisitRecorder({ db: own.db, writer, spool, log });
    state.mode = "refuses";
    expect(await recorder.record(visit())).toBe("spooled");
    await expect(recorder.replay()).rejects.toThrow("connection refused");
    expect((await contents()).sessions).toBe(1);
    expect(await recorder.record(visit())).toBe("spooled");
    expect(written.filter((visits) => visits > 0)).toEqual([1]);
    await recorder.close();
  });

  test("what is spooled survives the process", async () => {
    const { db, state } = unreliable(own.db);
    const folder = createSqliteFolder();
    state.mode = "refuses";
    const before = openSpool(folder.url);
    const recorder = createVisitRecorder({ db, writer: writerOn(db), spool: before, log });
    await recorder.record(visit());
    await recorder.close();
    before.close();
    const after = openSpool(folder.url);
    const restarted = createVisitRecorder({ db: own.db, writer: writerOn(own.db), spool: after, log });
    expect(await restarted.replay()).toBe(1);
    expect((await contents()).sessions).toBe(1);
    await restarted.close();
    after.close();
    await folder.remove();
  });

  test("a replay of much lets visitors have a turn after each batch, and stops when the process does", async () => {
    const recorder = createVisitRecorder({ db: own.db, writer: writerOn(own.db), spool, log });
    const many = Array.from({ length: 3_000 }, () => visit());
    spool.append(many.map((one) => ({ key: one.trackingToken, body: JSON.stringify(one) })));
    const seen = new Set<number>();
    const look = setInterval(() => seen.add(spool.counts().waiting), 1);
    await until(() => seen.size >= 12, 1);
    clearInterval(look);
    await recorder.close();
    const { waiting } = spool.counts();
    expect(waiting).toBeGreaterThan(0);
    expect((await contents()).sessions).toBe(many.length - waiting);
  });

  test("what waits is brought in once, however many ask for that, and a stop waits for what of it is under way", async () => {
    const { db } = own;
    const transactions: number[] = [];
    const watched: Database = {
      ...db,
      transaction: (work) => {
        transactions.push(spool.counts().waiting);
        return db.transaction(work);
      },
    };
    const recorder = createVisitRecorder({ db: watched, writer: writerOn(db), spool, log });
    const many = Array.from({ length: 300 }, () => visit());
    spool.append(many.map((one) => ({ key: one.trackingToken, body: JSON.stringify(one) })));
    const replaying = [recorder.replayWaiting(), recorder.replayWaiting()];
    await recorder.close();
    expect(transactions).toEqual([300]);
    expect((await contents()).sessions).toBe(100);
    await Promise.all(replaying);
  });

  test("who comes while much is brought in goes to the database, which would never catch up otherwise", async () => {
    const { db, state } = unreliable(own.db);
    const recorder = createVisitRecorder({ db, writer: writerOn(db), spool, log });
    state.mode = "refuses";
    expect(await recorder.record(visit())).toBe("spooled");
    const many = Array.from({ length: 2_000 }, () => visit());
    spool.append(many.map((one) => ({ key: one.trackingToken, body: JSON.stringify(one) })));
    state.mode = "fine";
    const replay = recorder.replay();
    await until(() => spool.counts().waiting < many.length, 1);
    await until(async () => (await recorder.record(visit())) === "committed", 1);
    expect(spool.counts().waiting).toBeGreaterThan(0);
    await replay;
    expect(spool.counts().waiting).toBe(0);
    await recorder.close();
  });

  test("the spool is brought in without being told, and asked again after the database refused it", async () => {
    let tried = 0;
    const db: Database = {
      ...own.db,
      transaction: (work) =>
        ++tried === 1 ? Promise.reject(new Error("connection refused")) : own.db.transaction(work),
    };
    const recorder = createVisitRecorder({ db, writer: writerOn(db), spool, log });
    const waiting = visit();
    spool.append([{ key: waiting.trackingToken, body: JSON.stringify(waiting) }]);
    await until(() => spool.counts().waiting === 0);
    expect(tried).toBe(2);
    expect((await contents()).sessions).toBe(1);
    await recorder.close();
  });

  test.each([
    ["committed", () => undefined],
    ["spooled", () => Promise.reject(new Error("connection refused"))],
  ])("closing waits for the visits that are being written, until they are %s", async (where, answer) => {
    const gate = Promise.withResolvers<void>();
    const writer = { write: () => gate.promise.then(answer) };
    const recorder = createVisitRecorder({ db: own.db, writer, spool, log });
    const ends: string[] = [];
    const ended = [
      recorder.record(visit()).then((recorded) => ends.push(recorded)),
      recorder.close().then(() => ends.push("closed")),
    ];
    await yieldToEventLoop();
    gate.resolve();
    await Promise.all(ended);
    expect(ends).toEqual([where, "closed"]);
  });

  test("closing waits for the spooled visits that are being brought in", async () => {
    const held = heldDatabase(own.db);
    const recorder = createVisitRecorder({ db: held.db, writer: writerOn(own.db), spool, log });
    const waiting = visit();
    spool.append([{ key: waiting.trackingToken, body: JSON.stringify(waiting) }]);
    await held.done;
    const ends: string[] = [];
    const closed = recorder.close().then(() => ends.push("closed"));
    await yieldToEventLoop();
    ends.push("let go");
    held.letGo();
    await closed;
    expect(ends).toEqual(["let go", "closed"]);
    expect(spool.counts()).toEqual({ waiting: 0, setAside: 0 });
  });

  test("a visit that is needed counts as brought in though the disk does not let it leave the spool", async () => {
    const remove = () => {
      throw new Error("disk full");
    };
    const recorder = createVisitRecorder({
      db: own.db,
      writer: writerOn(own.db),
      spool: { ...spool, remove },
      log,
    });
    const needed = visit();
    spool.append([{ key: needed.trackingToken, body: JSON.stringify(needed) }]);
    expect(await recorder.recall(needed.trackingToken)).toBe(true);
    expect(await contents()).toEqual({ sessions: 1, events: 1, redirects: [1, 1] });
    await recorder.close();
  });

  test("a visit that is needed and that no database takes is not called brought in: Redis may know of it", async () => {
    const recorder = createVisitRecorder({ db: own.db, writer: writerOn(own.db), spool, log });
    const needed = { ...visit(), atMs: 1e300 };
    spool.append([{ key: needed.trackingToken, body: JSON.stringify(needed) }]);
    expect(await recorder.recall(needed.trackingToken)).toBe(false);
    expect(spool.counts()).toEqual({ waiting: 0, setAside: 1 });
    await recorder.close();
  });

  test("a visit whose pool was removed while it was spooled comes in, and its event waits for a token", async () => {
    const { db } = own;
    const secrets = createSecrets(new Uint8Array(32));
    const late = visit("fbclid=Late");
    spool.append([{ key: late.trackingToken, body: JSON.stringify(late) }]);
    const manage = { db, secrets, now: () => new Date() };
    expect(await deletePool(manage, "cli", "open")).toEqual({ kind: "deleted" });
    const recorder = createVisitRecorder({ db, writer: writerOn(db), spool, log });
    await recorder.replay();
    expect(spool.counts()).toEqual({ waiting: 0, setAside: 0 });
    expect(await contents()).toMatchObject({ sessions: 1, events: 1 });
    const pixel = late.pageView?.route ?? "";
    const tokens = () => lookUpTokens({ db, secrets }, pixel, []);
    expect(await tokens()).toMatchObject({
      kind: "missing",
      reason: expect.stringContaining("pool update"),
    });
    const metaAccessToken = secrets.seal("token", "pools.meta_access_token");
    await addPool(db, { slug: "again", metaPixelId: pixel, metaAccessToken });
    expect(await tokens()).toEqual({ kind: "found", accessTokens: ["token"] });
    await recorder.close();
  });
});
