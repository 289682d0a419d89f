import { Database as SqliteClient } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import { eq, inArray } from "drizzle-orm";
import type { Durability, Tx } from "../../src/db/database.ts";
import { reportPurchasesOf } from "../../src/payments/report-purchase.ts";
import { erasePerson } from "../../src/privacy/erase.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import { encodeVisit } from "../../src/redirect/visit-json.ts";
import type { VisitRecord } from "../../src/redirect/visit-record.ts";
import { testDialect } from "../support/database.ts";
import { type Funnel, openFunnel } from "../support/funnel.ts";
import { buttonUpdate, newUser, paidUpdate, startUpdate } from "../support/telegram-updates.ts";
import { untilHeldUp } from "../support/until-held-up.ts";
import { visitOf } from "../support/visits.ts";

let funnel: Funnel;
beforeAll(async () => {
  funnel = await openFunnel();
  // The bot left its pool after the ad was shown: only the visit knows whose pixel the Purchase belongs to.
  const { poolBots } = funnel.db.tables;
  await funnel.db.transaction((tx) => tx.delete(poolBots).where(eq(poolBots.botId, funnel.other.id)));
});
afterAll(() => funnel.dispose());

/** Somebody who came by a visit that is not in the database, and pays for what they had chosen before. */
async function payer() {
  const { db, other, pool, post } = funnel;
  const offer = await funnel.addOffer({
    botId: other.id,
    provider: "telegram",
    currency: "XTR",
    priceMinor: 50,
  });
  const visit = visitOf(pool.id, 0, other.id, "fbclid=AbCd");
  const user = newUser();
  await post(other.id, buttonUpdate(user, `buy:${offer.id}`));
  await post(other.id, startUpdate(user, visit.trackingToken));
  const [sale] = await db.select().from(db.tables.payments).where(eq(db.tables.payments.offerId, offer.id));
  if (!sale) throw new Error("nothing was sold");
  return { visit, saleId: sale.id, paid: paidUpdate(user, sale.id, 50, "XTR") };
}

async function stored(saleId: string) {
  const { db } = funnel;
  const { payments, outbox } = db.tables;
  const [sale] = await db.select().from(payments).where(eq(payments.id, saleId));
  const rows = await db.select().from(outbox).where(eq(outbox.paymentId, saleId));
  return { sale, purchases: rows.filter(({ eventName }) => eventName === "Purchase") };
}

/** What another machine does to bring a visit in: the visit itself, and in a transaction of its own what waited for it. */
const bringIn = ({ db }: Funnel, visit: VisitRecord) =>
  db.transaction((tx) => recordVisits(tx, db.tables, [visit]));
const lookAfter = ({ db, deps }: Funnel, { trackingToken }: VisitRecord) =>
  db.transaction((tx) => reportPurchasesOf(deps.payments, tx, [trackingToken]));

test(`a start whose visit still waits on this machine's disk, on ${testDialect}, belongs to that visit's pool`, async () => {
  const { db, deps, other, pool, post } = funnel;
  const visit = visitOf(pool.id, 0, other.id, "fbclid=AbCd");
  const { trackingToken } = visit;
  deps.spool.append([{ key: trackingToken, body: encodeVisit(visit) }]);
  const user = newUser();
  expect((await post(other.id, startUpdate(user, trackingToken))).status).toBe(200);
  const { sessions, funnelStates } = db.tables;
  const [session] = await db.select().from(sessions).where(eq(sessions.trackingToken, trackingToken));
  expect(session?.userExternalId).toBe(String(user.id));
  const [step] = await db.select().from(funnelStates).where(eq(funnelStates.trackingToken, trackingToken));
  expect(step).toMatchObject({ state: "started", poolId: pool.id });
  expect(deps.spool.counts().waiting).toBe(0);
});

test(`a start is linked to its visit, on ${testDialect}, though the spool cannot say any more what was erased`, async () => {
  const { db, deps, other, pool, post } = funnel;
  const visit = visitOf(pool.id, 0, other.id, "fbclid=AbCd");
  deps.spool.append([{ key: visit.trackingToken, body: encodeVisit(visit) }]);
  const file = new SqliteClient(deps.config.spoolFile);
  file.run("alter table forgotten rename to damaged");
  const user = newUser();
  expect((await post(other.id, startUpdate(user, visit.trackingToken))).status).toBe(200);
  file.run("alter table damaged rename to forgotten");
  file.close();
  const { sessions } = db.tables;
  const [session] = await db.select().from(sessions).where(eq(sessions.trackingToken, visit.trackingToken));
  expect(session?.userExternalId).toBe(String(user.id));
});

/** Lets this machine bring in the visits of its spool. */
function bringInOwn({ deps }: Funnel, visits: readonly VisitRecord[]) {
  deps.spool.append(visits.map((visit) => ({ key: visit.trackingToken, body: encodeVisit(visit) })));
  return deps.recorder.replay();
}

test(`a visit that comes in after its starts, on ${testDialect}, learns who came by it first`, async () => {
  const { db, other, pool, post } = funnel;
  const [started, organic, erased] = [0, 1, 2].map(() => visitOf(pool.id, 0, other.id, "fbclid=AbCd"));
  if (!started || !organic || !erased) throw new Error("a visit is missing");
  const [first, second, gone] = [newUser(), newUser(), newUser()];
  for (const user of [first, second]) await post(other.id, startUpdate(user, started.trackingToken));
  for (const user of [gone, second]) await post(other.id, startUpdate(user, erased.trackingToken));
  await erasePerson(
    funnel.deps,
    { kind: "customer", customer: String(gone.id) },
    { actor: "test", dryRun: false },
  );
  await bringInOwn(funnel, [started, organic, erased]);
  const { sessions } = db.tables;
  const named = await db
    .select({ token: sessions.trackingToken, user: sessions.userExternalId })
    .from(sessions)
    .where(
      inArray(
        sessions.trackingToken,
        [started, organic, erased].map(({ trackingToken }) => trackingToken),
      ),
    );
  expect(new Map(named.map(({ token, user }) => [token, user]))).toEqual(
    new Map([
      [started.trackingToken, String(first.id)],
      [organic.trackingToken, null],
      [erased.trackingToken, null],
    ]),
  );
});

describe(`money that Telegram takes before the visit has come in, on ${testDialect}`, () => {
  test("who brought the visit in died before it looked: the update's next copy reports the sale, once", async () => {
    const { visit, saleId, paid } = await payer();
    expect((await funnel.post(funnel.other.id, paid)).status).toBe(200);
    expect(await stored(saleId)).toMatchObject({
      sale: { status: "paid", trackingToken: visit.trackingToken, metaPurchaseSent: false },
      purchases: [],
    });
    await bringIn(funnel, visit);
    for (let copies = 0; copies < 2; copies++) {
      expect((await funnel.post(funnel.other.id, paid)).status).toBe(200);
    }
    const { sale, purchases } = await stored(saleId);
    expect(sale).toMatchObject({ metaPurchaseSent: true, poolId: funnel.pool.id });
    expect(purchases).toHaveLength(1);
  });

  test("another machine brings it in while the money is confirmed: one of the two reports the sale", async () => {
    const { visit, saleId, paid } = await payer();
    const { transaction } = funnel.db;
    let arrival: Promise<void> | undefined;
    const spy = spyOn(funnel.db, "transaction").mockImplementationOnce(
      <T>(confirm: (tx: Tx) => Promise<T>, durability?: Durability) =>
        transaction(async (tx) => {
          const result = await confirm(tx);
          arrival = bringIn(funnel, visit).then(() => lookAfter(funnel, visit));
          await untilHeldUp(funnel.db, arrival);
          return result;
        }, durability),
    );
    expect((await funnel.post(funnel.other.id, paid)).status).toBe(200);
    spy.mockRestore();
    await arrival;
    const { sale, purchases } = await stored(saleId);
    expect(sale).toMatchObject({ metaPurchaseSent: true });
    expect(purchases).toHaveLength(1);
  });
});
