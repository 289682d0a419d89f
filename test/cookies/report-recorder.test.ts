import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import type { BrowserReport } from "../../src/cookies/report.ts";
import { createReportRecorder, VisitWaitsError } from "../../src/cookies/report-recorder.ts";
import { openSpool, type Spool } from "../../src/db/spool/spool.ts";
import { newId } from "../../src/platform/ids.ts";
import { createLog } from "../../src/platform/log.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import type { NewSession } from "../../src/tracking/session.ts";
import { noTrackingStore } from "../../src/tracking/tracking-store.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { visitsOf } from "../support/visits.ts";

let own: TestDatabase;
let spool: Spool;
beforeEach(async () => {
  own = await createTestDatabase();
  spool = openSpool(":memory:");
});
afterEach(async () => {
  spool.close();
  await own.dispose();
});

const reportOf = (trackingToken: string): BrowserReport => ({
  trackingToken,
  report: { fbi: "203.0.113.9" },
});

function recorder(write: (reports: readonly BrowserReport[]) => Promise<void>, saved?: NewSession[]) {
  const trackingStore = saved
    ? { ...noTrackingStore, keepsCopies: true, save: (of: () => NewSession) => void saved.push(of()) }
    : noTrackingStore;
  return createReportRecorder({
    db: own.db,
    writer: { write },
    spool,
    trackingStore,
    log: createLog("silent"),
  });
}

describe(`browsers' reports on ${testDialect}`, () => {
  test("those that come together are written together", async () => {
    const batches: number[] = [];
    const { record } = recorder(async (reports) => void batches.push(reports.length));
    await Promise.all(Array.from({ length: 20 }, () => record(reportOf(newId()))));
    expect(batches).toEqual([20]);
  });

  test("one whose visit waits in the spool is not written, its neighbours are", async () => {
    const written: string[] = [];
    const { record } = recorder(async (reports) => {
      for (const { trackingToken } of reports) written.push(trackingToken);
    });
    const [early, waiting, late] = [newId(), newId(), newId()];
    spool.append([{ key: waiting, body: "{}" }]);
    const outcomes = await Promise.allSettled([early, waiting, late].map((token) => record(reportOf(token))));
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(outcomes[1]).toMatchObject({ reason: expect.any(VisitWaitsError) });
    expect(written).toEqual([early, late]);
  });

  test("where copies are kept, the visits' own are saved as they are in the database; erased ones never", async () => {
    const visit = visitsOf(await addPool(own.db, { slug: "open" }));
    const visits = [visit(), visit()];
    await own.db.transaction((tx) => recordVisits(tx, own.db.tables, visits));
    const [kept = "", erased = ""] = visits.map(({ trackingToken }) => trackingToken);
    const { sessions } = own.db.tables;
    await own.db.transaction(async (tx) => {
      await tx.update(sessions).set({ consent: "erased" }).where(eq(sessions.trackingToken, erased));
    });
    const saved: NewSession[] = [];
    const { record, close } = recorder(async () => undefined, saved);
    await Promise.all([kept, erased, newId()].map((token) => record(reportOf(token))));
    await close();
    expect(saved.map(({ trackingToken }) => trackingToken)).toEqual([kept]);
  });
});
