import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { firstIdAt, newId } from "../../src/platform/ids.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import { sessionOf, type VisitRecord } from "../../src/redirect/visit-record.ts";
import type { BotUser } from "../../src/tracking/bot-users.ts";
import { sessionFacts } from "../../src/tracking/session.ts";
import type { StoredVisit } from "../../src/tracking/tracking-store.ts";
import { refusingToken } from "../../src/tracking/tracking-token.ts";
import { consentByNow, visitBehind } from "../../src/tracking/visit-behind.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { visitsOf } from "../support/visits.ts";

const HOUR_MS = 3_600_000;
const NOON_MS = Date.now() - 24 * HOUR_MS;

/** The token of a visit so many hours after noon. */
const tokenAt = (hours: number) => firstIdAt(NOON_MS + hours * HOUR_MS).slice(0, 12) + newId().slice(12);
const refusalAt = (hours: number) => refusingToken(tokenAt(hours));

let own: TestDatabase;
let bots: readonly number[];
let visit: () => VisitRecord;
let nextPerson = 1;
beforeAll(async () => {
  own = await createTestDatabase();
  const added = await addPool(own.db, { slug: "open" }, [{ username: "one_bot" }, { username: "other_bot" }]);
  bots = added.bots.map(({ id }) => id);
  visit = visitsOf(added);
});
afterAll(() => own.dispose());
beforeEach(() => own.db.transaction((tx) => tx.delete(own.db.tables.botUsers)));

/** A person whose latest visit led them to the first bot, and perhaps others to the second. */
async function person(...latestTokens: readonly (string | null)[]): Promise<BotUser> {
  const now = new Date();
  const telegramUserId = String(nextPerson++);
  const rows = latestTokens.map((latestToken, i) => ({
    botId: bots[i] ?? 0,
    telegramUserId,
    latestToken,
    createdAt: now,
    updatedAt: now,
  }));
  const [user] = await own.db.transaction((tx) => tx.insert(own.db.tables.botUsers).values(rows).returning());
  if (!user) throw new Error("nobody was added");
  return user;
}

describe(`what somebody says by now of being reported, on ${testDialect}`, () => {
  const say = (botUser: BotUser, trackingToken: string | null) =>
    consentByNow(own.db, own.db.tables, { botUser, trackingToken, consent: null });

  test("is what they said last, in any bot, though they came to others without a link", async () => {
    const known = tokenAt(1);
    expect(await say(await person(known, refusalAt(2)), known)).toBe("denied");
    expect(await say(await person(refusalAt(2), tokenAt(3)), known)).toBeNull();
    expect(await say(await person(refusalAt(2), null), known)).toBe("denied");
    expect(await say(await person(refusalAt(2), null), null)).toBe("denied");
  });

  test("is not what they said before that visit", async () => {
    expect(await say(await person(refusalAt(1)), tokenAt(2))).toBeNull();
  });

  test("is not what somebody else says", async () => {
    const known = tokenAt(1);
    const buyer = await person(known);
    await person(refusalAt(2));
    expect(await say(buyer, known)).toBeNull();
  });

  test("says nothing new of a visit that was erased", async () => {
    const botUser = await person(refusalAt(2));
    const erased = { botUser, trackingToken: tokenAt(1), consent: "erased" } as const;
    expect(await consentByNow(own.db, own.db.tables, erased)).toBe("erased");
  });
});

test(`behind a payment that names only its person is their latest visit, on ${testDialect}`, async () => {
  const latest = visit();
  await own.db.transaction((tx) => recordVisits(tx, own.db.tables, [latest]));
  const botUser = await person(latest.trackingToken);
  const found = await own.db.transaction((tx) =>
    visitBehind(tx, own.db, { trackingToken: null, botUser }, null),
  );
  expect(found).toMatchObject({
    session: { trackingToken: latest.trackingToken },
    facts: { trackingToken: latest.trackingToken, clientIp: "177.45.10.9" },
    trackingToken: latest.trackingToken,
    botUser: { id: botUser.id },
  });
});

describe(`what a payment's visit says of being reported, on ${testDialect}`, () => {
  const behind = (trackingToken: string, redisCopy: StoredVisit | null = null) =>
    own.db.transaction((tx) => visitBehind(tx, own.db, { trackingToken, botUser: null }, redisCopy));

  test("is in its token where nothing else is known of it, as after retention", async () => {
    expect(await behind(refusalAt(1))).toMatchObject({ session: null, facts: null, consent: "denied" });
    expect(await behind(tokenAt(1))).toMatchObject({ session: null, facts: null, consent: null });
  });

  test("is that it was erased, also where its visitor had refused before", async () => {
    const refused = visit();
    const trackingToken = refusingToken(refused.trackingToken);
    await own.db.transaction((tx) => recordVisits(tx, own.db.tables, [{ ...refused, trackingToken }]));
    const { sessions } = own.db.tables;
    await own.db.transaction(async (tx) => {
      await tx.update(sessions).set({ consent: "erased" }).where(eq(sessions.trackingToken, trackingToken));
    });
    expect(await behind(trackingToken)).toMatchObject({ session: { trackingToken }, consent: "erased" });
  });

  test("is not what Redis has of another visit", async () => {
    const other = visit();
    const copy = { ...sessionFacts(sessionOf(other)), poolId: 1, botId: 1, database: null };
    expect(await behind(tokenAt(1), copy)).toMatchObject({ facts: null, poolId: null });
    expect(await behind(other.trackingToken, copy)).toMatchObject({ facts: copy, poolId: 1 });
  });
});

test(`who came by a visit that nobody knows is whoever started with its token, unless several did, on ${testDialect}`, async () => {
  const trackingToken = tokenAt(1);
  const who = () =>
    own.db.transaction((tx) => visitBehind(tx, own.db, { trackingToken, botUser: null }, null));
  expect((await who()).botUser).toBeNull();
  const { id } = await person(trackingToken);
  expect((await who()).botUser).toMatchObject({ id });
  // Links are passed on.
  await person(trackingToken);
  expect((await who()).botUser).toBeNull();
});
