import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { recordCookies } from "../../src/cookies/record-cookies.ts";
import type { BrowserReport } from "../../src/cookies/report.ts";
import type { Database } from "../../src/db/database.ts";
import { openDatabase } from "../../src/db/open.ts";
import { newId } from "../../src/platform/ids.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { untilHeldUp } from "../support/until-held-up.ts";
import { visitsOf } from "../support/visits.ts";

let own: TestDatabase;
let other: Database;
let visit: () => Promise<string>;
beforeAll(async () => {
  own = await createTestDatabase();
  // As a second process of the same installation has it.
  other = await openDatabase({ url: own.url });
  const next = visitsOf(await addPool(own.db, { slug: "open" }));
  visit = async () => {
    const record = next();
    await own.db.transaction((tx) => recordVisits(tx, own.db.tables, [record]));
    return record.trackingToken;
  };
});
afterAll(async () => {
  await other.close();
  await own.dispose();
});

const record = (db: Database, reports: readonly BrowserReport[]) =>
  db.transaction((tx) => recordCookies(tx, db, reports));

async function session(token: string) {
  const { sessions } = own.db.tables;
  const [row] = await own.db.select().from(sessions).where(eq(sessions.trackingToken, token));
  return row;
}

describe(`cookies on ${testDialect}`, () => {
  const fbp = "fb.1.1600000000000.7654321";
  const fbi = "177.45.10.9.AQ";
  const event = async (token: string) => {
    const { outbox } = own.db.tables;
    return (await own.db.select().from(outbox).where(eq(outbox.trackingToken, token)))[0];
  };

  test("the first report is written down even where it says nothing, since it releases the PageView", async () => {
    const token = await visit();
    expect((await session(token))?.cookiesAt).toBeNull();
    expect(await record(own.db, [{ trackingToken: token, report: {} }])).toBe(true);
    expect((await session(token))?.cookiesAt).not.toBeNull();
  });

  test("what is known already is not written again, beside what is news", async () => {
    const [silent, talking] = [await visit(), await visit()];
    const tell = (token: string, report: BrowserReport["report"]) => ({ trackingToken: token, report });
    await record(own.db, [tell(silent, { fbi, fbp }), tell(talking, {})]);
    const before = [await session(silent), await event(silent)];
    // So that writing again would show in its time.
    await Bun.sleep(2);
    const later = "fb.1.1600000000000.42";
    expect(await record(own.db, [tell(silent, { fbi }), tell(silent, { fbp: later })])).toBe(false);
    expect(await record(own.db, [tell(silent, { fbi: "203.0.113.9" }), tell(talking, { fbi })])).toBe(true);
    expect([await session(silent), await event(silent)]).toEqual(before);
    expect(await session(talking)).toMatchObject({ fbi });
    expect((await event(talking))?.payload).toMatchObject({
      user_data: { client_ip_address: "177.45.10.9" },
    });
  });

  test("the browser's own fbp alone is news", async () => {
    const token = await visit();
    await record(own.db, [{ trackingToken: token, report: {} }]);
    expect(await record(own.db, [{ trackingToken: token, report: { fbp } }])).toBe(true);
    expect(await session(token)).toMatchObject({ fbp });
  });

  test("whoever sends events is woken where something was written, and only there", async () => {
    const woken: string[] = [];
    const recordAndWake = (report: BrowserReport) =>
      own.db.transaction((tx) =>
        recordCookies({ ...tx, notify: async (channel) => void woken.push(channel) }, own.db, [report]),
      );
    await recordAndWake({ trackingToken: newId(), report: { fbp } });
    expect(woken).toEqual([]);
    await recordAndWake({ trackingToken: await visit(), report: { fbp } });
    expect(woken).toEqual(["outbox"]);
  });

  test("a report for a visit that was erased writes nothing", async () => {
    const token = await visit();
    const { sessions } = own.db.tables;
    await own.db.transaction(async (tx) => {
      await tx.update(sessions).set({ consent: "erased" }).where(eq(sessions.trackingToken, token));
    });
    const before = [await session(token), await event(token)];
    expect(await record(own.db, [{ trackingToken: token, report: { fbp, fbi } }])).toBe(false);
    expect([await session(token), await event(token)]).toEqual(before);
  });

  test("a report for a token that nobody knows writes nothing", async () => {
    expect(await record(own.db, [{ trackingToken: newId(), report: { fbp, fbi } }])).toBe(false);
  });
});

describe(`cookies of one visit in two processes on ${testDialect}`, () => {
  const fbc = "fb.1.1600000000000.click";
  const fbi = "177.45.10.9.AQ";

  test("two reports at once both count, in whatever order their batches name the visits", async () => {
    for (let i = 0; i < 20; i++) {
      const tokens = await Promise.all([visit(), visit()]);
      const clicks = tokens.map((trackingToken) => ({ trackingToken, report: { fbc } }));
      const addresses = tokens.map((trackingToken) => ({ trackingToken, report: { fbi } })).reverse();
      await Promise.all([record(own.db, clicks), record(other, addresses)]);
      for (const token of tokens) expect(await session(token)).toMatchObject({ fbc, fbi });
    }
  });

  test("a visit that is erased meanwhile stays erased", async () => {
    const token = await visit();
    let erased: Promise<unknown> | undefined;
    const erase = () =>
      other.transaction(async (tx) => {
        const { sessions } = other.tables;
        const nothing = { consent: "erased" as const, fbp: null, fbc: null, fbi: null };
        await tx.update(sessions).set(nothing).where(eq(sessions.trackingToken, token));
      });
    await own.db.transaction((tx) => {
      const updateMany: typeof tx.updateMany = async (...call) => {
        // Between reading and writing: the erasure waits for us, or has to be seen by us.
        erased ??= erase();
        await untilHeldUp(own.db, erased);
        await tx.updateMany(...call);
      };
      return recordCookies({ ...tx, updateMany }, own.db, [{ trackingToken: token, report: { fbc, fbi } }]);
    });
    await erased;
    expect(await session(token)).toMatchObject({ consent: "erased", fbp: null, fbc: null, fbi: null });
  });
});
