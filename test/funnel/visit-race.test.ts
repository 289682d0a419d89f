import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startFromOutside } from "../../src/funnel/bot-start.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import type { VisitRecord } from "../../src/redirect/visit-record.ts";
import { findSession } from "../../src/tracking/find-session.ts";
import { nameVisits } from "../../src/tracking/name-visits.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { heldDatabase } from "../support/held-database.ts";
import { addPool } from "../support/pools.ts";
import { newUser } from "../support/telegram-updates.ts";
import { untilHeldUp } from "../support/until-held-up.ts";
import { visitsOf } from "../support/visits.ts";

let own: TestDatabase;
let visit: () => VisitRecord;

beforeAll(async () => {
  own = await createTestDatabase();
  const pool = await addPool(own.db, { slug: "shop" });
  visit = () => visitsOf(pool)("fbclid=Late");
});
afterAll(() => own.dispose());

describe(`a visit that one machine brings in while another records its start, on ${testDialect}`, () => {
  test.each([
    ["the start", true],
    ["the visit", false],
  ])("learns who came by it where %s is committed last", async (_, isStartHeld) => {
    const { db } = own;
    const late = visit();
    const user = String(newUser().id);
    const held = heldDatabase(db);
    const [shop, web] = isStartHeld ? [held.db, db] : [db, held.db];
    const start = () =>
      startFromOutside(
        { db: shop, consentDenied: "drop", now: () => new Date(), recallVisit: async () => false },
        { bot: "shop_bot", telegram_user_id: user, tracking_token: late.trackingToken },
      );
    const bringIn = async () => {
      await web.transaction((tx) => recordVisits(tx, db.tables, [late]));
      await web.transaction((tx) => nameVisits(tx, db.tables, [late.trackingToken]));
    };
    const [first, second] = isStartHeld ? [start, bringIn] : [bringIn, start];
    const one = first();
    await held.done;
    const other = second();
    await untilHeldUp(db, other);
    held.letGo();
    await Promise.all([one, other]);
    expect(await findSession(db, db.tables, late.trackingToken)).toMatchObject({ userExternalId: user });
  });
});
