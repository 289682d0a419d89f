import { afterAll, beforeAll, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import type { VisitRecord } from "../../src/redirect/visit-record.ts";
import { saveBotUser } from "../../src/tracking/bot-users.ts";
import { findSession } from "../../src/tracking/find-session.ts";
import { recordFunnelState } from "../../src/tracking/funnel-states.ts";
import { nameVisit, nameVisits } from "../../src/tracking/name-visits.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { visitsOf } from "../support/visits.ts";

let own: TestDatabase;
let botId: number;
let next: () => VisitRecord;
beforeAll(async () => {
  own = await createTestDatabase();
  const added = await addPool(own.db, { slug: "open" });
  botId = added.bots[0]?.id ?? 0;
  next = visitsOf(added);
});
afterAll(() => own.dispose());

async function visit({ isErased = false } = {}): Promise<string> {
  const record = next();
  const { trackingToken } = record;
  const { sessions } = own.db.tables;
  await own.db.transaction(async (tx) => {
    await recordVisits(tx, own.db.tables, [record]);
    if (!isErased) return;
    await tx.update(sessions).set({ consent: "erased" }).where(eq(sessions.trackingToken, trackingToken));
  });
  return trackingToken;
}

/** Somebody starts the bot with a token whose visit the database does not know yet. */
async function start(telegramUserId: string, trackingToken: string): Promise<void> {
  const now = new Date();
  await own.db.transaction(async (tx) => {
    const { tables } = own.db;
    const user = await saveBotUser(tx, tables, { botId, person: { telegramUserId }, trackingToken }, now);
    const step = { state: "started" as const, of: String(user.id), poolId: null, botId, botUserId: user.id };
    await recordFunnelState(tx, tables, { ...step, trackingToken }, now);
  });
}

const nameOf = async (trackingToken: string) =>
  (await findSession(own.db, own.db.tables, trackingToken))?.userExternalId;

test(`a visit learns who came by it once, and nothing of anybody after it was erased, on ${testDialect}`, async () => {
  const [known, erased] = [await visit(), await visit({ isErased: true })];
  for (const telegramUserId of ["1001", "1002"]) {
    for (const trackingToken of [known, erased])
      await own.db.transaction((tx) =>
        nameVisit(tx, own.db.tables, { trackingToken, telegramUserId }, new Date()),
      );
  }
  expect([await nameOf(known), await nameOf(erased)]).toEqual(["1001", null]);
});

test(`visits that come after their starts learn who started first, but not of whom was erased, on ${testDialect}`, async () => {
  const [known, erased, ofErased] = [await visit(), await visit({ isErased: true }), await visit()];
  await start("2002", known);
  await start("2001", known);
  await start("2003", erased);
  await start("erased:7", ofErased);
  await own.db.transaction((tx) => nameVisits(tx, own.db.tables, [ofErased, erased, known]));
  expect([await nameOf(known), await nameOf(erased), await nameOf(ofErased)]).toEqual(["2002", null, null]);
});
