import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq, inArray } from "drizzle-orm";
import { openSpool, type Spool } from "../../src/db/spool/spool.ts";
import { receiveReport } from "../../src/payments/receive-report.ts";
import { registerPayment } from "../../src/payments/register.ts";
import { reportPurchasesOf } from "../../src/payments/report-purchase.ts";
import { newId } from "../../src/platform/ids.ts";
import { createLog } from "../../src/platform/log.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import { encodeVisit } from "../../src/redirect/visit-json.ts";
import type { VisitRecord } from "../../src/redirect/visit-record.ts";
import { createVisitRecorder } from "../../src/redirect/visit-recorder.ts";
import { writeBatch } from "../../src/writer/write-batch.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { heldDatabase } from "../support/held-database.ts";
import { addPool } from "../support/pools.ts";
import { untilHeldUp } from "../support/until-held-up.ts";
import { visitsOf, writerOn } from "../support/visits.ts";

const log = createLog("silent");

let own: TestDatabase;
let spool: Spool;
let visit: () => VisitRecord;

beforeAll(async () => {
  own = await createTestDatabase();
  spool = openSpool(":memory:");
  const visits = visitsOf(await addPool(own.db, { slug: "shop", metaPixelId: "5555555555" }));
  visit = () => visits("fbclid=AbCd");
});
afterAll(async () => {
  spool.close();
  await own.dispose();
});

/** A machine of its own; its first transaction, all its work done, commits when it is let go, where it is held. */
function machine(isHeld: boolean) {
  const { db, done, letGo } = heldDatabase(own.db);
  const deps = {
    db: isHeld ? db : own.db,
    log,
    now: () => new Date(),
    starsUsdMinorPerThousand: null,
    consentDenied: "drop" as const,
    trackingData: async () => null,
  };
  return { deps, done, letGo };
}
type Machine = ReturnType<typeof machine>;

/** The machine brings in a visit that lay in its spool. */
async function bringIn({ deps }: Machine, visit: VisitRecord) {
  const { db } = deps;
  spool.append([{ key: visit.trackingToken, body: encodeVisit(visit) }]);
  const recorder = createVisitRecorder({
    db,
    writer: writerOn(db),
    spool,
    log,
    onReplay: (tokens) => db.transaction((tx) => reportPurchasesOf(deps, tx, tokens)),
  });
  await recorder.recall(visit.trackingToken).finally(recorder.close);
}

async function purchases(token: string) {
  const { outbox } = own.db.tables;
  const rows = await own.db.select().from(outbox).where(eq(outbox.trackingToken, token));
  return rows.filter(({ eventName }) => eventName === "Purchase");
}

describe(`a visit that one machine brings in while another takes the money, on ${testDialect}`, () => {
  const money = { amount_minor: 4990, currency: "BRL" };
  interface Sale {
    readonly provider_ref: string;
    readonly tracking_token: string;
  }
  const report = (deps: Machine["deps"], { provider_ref, ...sale }: Sale) =>
    receiveReport(deps, {
      provider: "generic",
      providerRef: provider_ref,
      event: { kind: "paid" },
      registration: { provider: "generic", provider_ref, ...money, ...sale },
      details: sale,
    });
  const register = (deps: Machine["deps"], sale: Sale) =>
    registerPayment(deps, { provider: "generic", ...money, ...sale });
  const paidWithoutVisit = async ({ provider_ref }: Sale) => {
    const { deps } = machine(false);
    await registerPayment(deps, { provider: "generic", provider_ref, ...money });
    await receiveReport(deps, {
      provider: "generic",
      providerRef: provider_ref,
      event: { kind: "paid" },
      registration: null,
    });
  };

  test.each([
    ["a webhook that registers and confirms", async () => undefined, report],
    ["a copy of the webhook that brings the token", paidWithoutVisit, report],
    ["a second registration that brings the token", paidWithoutVisit, register],
  ])("%s: one of the two reports it, whichever commits last", async (_, before, act) => {
    for (const isPaymentHeld of [true, false]) {
      const late = visit();
      const sale = { provider_ref: newId(), tracking_token: late.trackingToken };
      await before(sale);
      const [web, shop] = [machine(!isPaymentHeld), machine(isPaymentHeld)];
      const replay = () => bringIn(web, late);
      const pay = () => act(shop.deps, sale);
      const [held, first, second] = isPaymentHeld ? [shop, pay, replay] : [web, replay, pay];
      const one = first();
      await held.done;
      const other = second();
      await untilHeldUp(own.db, other);
      held.letGo();
      await Promise.all([one, other]);
      expect(await purchases(late.trackingToken)).toHaveLength(1);
    }
  });

  test("a sale whose money goes back in that moment is not reported any more", async () => {
    const late = visit();
    const sale = { provider_ref: newId(), tracking_token: late.trackingToken };
    await report(machine(false).deps, sale);
    const [web, shop] = [machine(false), machine(true)];
    const refund = { provider: "generic", providerRef: sale.provider_ref, registration: null };
    const givingBack = receiveReport(shop.deps, { ...refund, event: { kind: "refunded" } });
    await shop.done;
    const bringing = bringIn(web, late);
    await untilHeldUp(own.db, bringing);
    shop.letGo();
    await Promise.all([givingBack, bringing]);
    expect(await purchases(late.trackingToken)).toEqual([]);
  });

  test("several visits are looked at in the order in which browsers' reports lock them", async () => {
    const { deps } = machine(false);
    const [earlier, later] = [visit(), visit()];
    const tokens = [earlier, later].map(({ trackingToken }) => trackingToken);
    // Payments are numbered crosswise to the visits that they came of.
    for (const tracking_token of tokens.toReversed()) {
      await register(deps, { provider_ref: newId(), tracking_token });
    }
    await writerOn(own.db).write([earlier, later]);
    let reporting: Promise<void> = Promise.resolve();
    await own.db.transaction(async (tx) => {
      const { sessions } = own.db.tables;
      const browserReports = (token: string) =>
        tx.update(sessions).set({ cookiesAt: new Date() }).where(eq(sessions.trackingToken, token));
      await browserReports(earlier.trackingToken);
      reporting = deps.db.transaction((other) => reportPurchasesOf(deps, other, tokens));
      await untilHeldUp(own.db, reporting);
      await browserReports(later.trackingToken);
    });
    await reporting;
  });
});

test(`a payment that another visit is named for waits crosswise with browsers of both, and all is written, on ${testDialect}`, async () => {
  const { deps } = machine(false);
  const { db } = deps;
  const { payments, sessions } = db.tables;
  const visits = [visit(), visit()].toSorted((a, b) => (a.trackingToken < b.trackingToken ? -1 : 1));
  const [first = "", second = ""] = visits.map(({ trackingToken }) => trackingToken);
  await db.recordArrivals((writer) => recordVisits(writer, db.tables, visits));
  const providerRef = newId();
  const sale = { provider: "generic", provider_ref: providerRef, amount_minor: 4990, currency: "BRL" };
  await registerPayment(deps, { ...sale, tracking_token: first });
  let both: Promise<unknown> = Promise.resolve();
  await db.transaction(async (tx) => {
    await tx.update(payments).set({ updatedAt: new Date() }).where(eq(payments.providerRef, providerRef));
    const registered = registerPayment(deps, { ...sale, tracking_token: second });
    await untilHeldUp(db, registered);
    const report = { fbi: "177.45.10.77.AQYCAQMB" };
    const reports = [first, second].map((trackingToken) => ({ trackingToken, report }));
    const reported = writeBatch(db, { kind: "cookies", reports });
    await untilHeldUp(db, reported, 2);
    both = Promise.all([registered, reported]);
  });
  await both;
  const known = await db
    .select()
    .from(sessions)
    .where(inArray(sessions.trackingToken, [first, second]));
  expect(known).toMatchObject([{ fbi: expect.any(String) }, { fbi: expect.any(String) }]);
});
