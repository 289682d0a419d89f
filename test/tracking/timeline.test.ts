import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq, inArray } from "drizzle-orm";
import { enqueue } from "../../src/outbox/enqueue.ts";
import { newId } from "../../src/platform/ids.ts";
import {
  type Timeline,
  timelineByEventId,
  timelineByPayment,
  timelineByToken,
  timelinesByTelegramUser,
} from "../../src/tracking/timeline.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { type SeededVisitor, seedVisitor } from "../support/seed-visitor.ts";

let own: TestDatabase;
let visitor: SeededVisitor;
let organic: SeededVisitor;

beforeAll(async () => {
  own = await createTestDatabase();
  visitor = await seedVisitor(own.db);
  organic = await seedVisitor(own.db, { organic: true });
  // Somebody else, whose rows must not turn up.
  await seedVisitor(own.db);
});
afterAll(() => own.dispose());

function stepsOf(timeline: Timeline | null | undefined) {
  return timeline?.steps.map(({ kind, event_name, after_ms }) => [event_name ?? kind, after_ms]);
}

describe(`a visitor's timeline on ${testDialect}`, () => {
  test("tells click, cookies, PageView, start, offer, payment, Purchase and delivery in order, with the time between", async () => {
    const timeline = await timelineByToken(own.db, visitor.token);
    expect(stepsOf(timeline)).toEqual([
      ["click", null],
      ["gate", 0],
      ["cookies", 1_000],
      ["PageView", 1_000],
      ["started", 1_000],
      ["offer_viewed", 1_000],
      ["payment", 1_000],
      ["paid", 1_000],
      ["Purchase", 0],
      ["delivery", 1_000],
      ["delivered", 1_000],
    ]);
    expect(timeline?.steps.slice(0, 3)).toMatchObject([
      { kind: "click", detail: `${visitor.slug}, with an fbclid, no campaign` },
      { kind: "gate", detail: "let in" },
      { kind: "cookies", detail: "_fbp" },
    ]);
    expect(timeline?.session).toMatchObject({
      tracking_token: visitor.token,
      pool: { slug: visitor.slug },
      fbclid: "IwAR0abcDEF",
    });
    expect(timeline?.steps.find(({ event_name }) => event_name === "Purchase")).toMatchObject({
      status: "dead",
      detail: "Invalid parameter",
      event_id: `purchase_${visitor.paymentId}`,
    });
    expect(timeline?.people).toMatchObject([
      {
        bot: { username: `bot_${visitor.token.slice(-12)}` },
        telegram_user_id: visitor.telegramUserId,
        first_name: "Ana",
      },
    ]);
    const paid_at = "2025-03-01T12:00:06.000Z";
    expect(timeline?.payments).toMatchObject([
      { id: visitor.paymentId, amount_minor: 4990, status: "paid", paid_at, refunded_at: null },
    ]);
    expect(JSON.stringify(timeline)).not.toContain("digest-that-stays-inside");
  });

  test("is the same by token, by payment, by event id and by Telegram user", async () => {
    const byToken = await timelineByToken(own.db, visitor.token);
    expect(await timelineByPayment(own.db, visitor.paymentId)).toEqual(byToken);
    for (const eventId of [
      `evt_${visitor.token}`,
      `purchase_${visitor.paymentId}`,
      `delivery_${visitor.paymentId}`,
    ]) {
      expect(await timelineByEventId(own.db, eventId)).toEqual(byToken);
    }
    expect(await timelinesByTelegramUser(own.db, visitor.telegramUserId)).toEqual(byToken ? [byToken] : []);
  });

  test("is found by the id of an event that retention has removed", async () => {
    const { token, paymentId } = await seedVisitor(own.db);
    const { outbox, outboxEvents, outboxProgress } = own.db.tables;
    const rows = await own.db.select({ id: outbox.id }).from(outbox).where(eq(outbox.trackingToken, token));
    const ids = rows.map(({ id }) => id);
    await own.db.transaction(async (tx) => {
      await tx.delete(outboxProgress).where(inArray(outboxProgress.id, ids));
      await tx.delete(outboxEvents).where(inArray(outboxEvents.id, ids));
    });
    const eventIds = [
      ...[`evt_${token}`, `lead_${token}`],
      ...[`checkout_${paymentId}`, `purchase_${paymentId}`, `delivery_${paymentId}`],
    ];
    const found = await Promise.all(eventIds.map((eventId) => timelineByEventId(own.db, eventId)));
    expect(found.map((timeline) => timeline?.tracking_token)).toEqual(eventIds.map(() => token));
  });

  test("exists without any click", async () => {
    const timeline = await timelineByPayment(own.db, organic.paymentId);
    expect(timeline).toMatchObject({ tracking_token: null, session: null });
    expect(stepsOf(timeline)?.map(([kind]) => kind)).toEqual([
      "started",
      "offer_viewed",
      "payment",
      "paid",
      "Purchase",
      "delivery",
      "delivered",
    ]);
    expect(await timelinesByTelegramUser(own.db, organic.telegramUserId)).toEqual(timeline ? [timeline] : []);
    expect(await timelineByEventId(own.db, `purchase_${organic.paymentId}`)).toEqual(timeline);
  });

  test("tells the InitiateCheckout of a payment that nobody's click led to", async () => {
    const { paymentId } = await seedVisitor(own.db, { organic: true });
    const eventId = `checkout_${paymentId}`;
    const entry = { destination: "meta" as const, route: "123", eventName: "InitiateCheckout", payload: {} };
    await own.db.transaction((tx) => enqueue(tx, own.db.tables, [{ ...entry, eventId, paymentId }]));
    const timeline = await timelineByEventId(own.db, eventId);
    expect(timeline?.outbox.map(({ event_id }) => event_id)).toContain(eventId);
  });

  test("of a person who came without an ad has what the bot sent and Meta was told, and is found by it", async () => {
    const { telegramUserId } = await seedVisitor(own.db, { organic: true });
    const { botUsers } = own.db.tables;
    const [person] = await own.db
      .select({ botUserId: botUsers.id })
      .from(botUsers)
      .where(eq(botUsers.telegramUserId, telegramUserId));
    const sent = [
      {
        destination: "meta" as const,
        route: "123",
        eventName: "Lead",
        eventId: `lead_user_${person?.botUserId}`,
      },
      {
        destination: "telegram" as const,
        route: "7",
        eventName: "welcome",
        eventId: `welcome_7_${telegramUserId}`,
      },
    ];
    const entries = sent.map((entry) => ({ ...entry, ...person, payload: {} }));
    await own.db.transaction((tx) => enqueue(tx, own.db.tables, entries));
    const [timeline] = await timelinesByTelegramUser(own.db, telegramUserId);
    const told = timeline?.outbox.map(({ event_id }) => event_id);
    for (const { eventId } of sent) {
      expect(told).toContain(eventId);
      expect(await timelineByEventId(own.db, eventId)).toEqual(timeline ?? null);
    }
  });

  test("of a payment of nobody known has that payment, and nobody else's", async () => {
    const id = newId();
    const times = { createdAt: new Date(), updatedAt: new Date() };
    const money = { status: "paid" as const, amountMinor: 100, currency: "BRL", paidAt: new Date() };
    await own.db.transaction((tx) =>
      tx
        .insert(own.db.tables.payments)
        .values({ id, provider: "generic", providerRef: id, ...money, ...times }),
    );
    const timeline = await timelineByPayment(own.db, id);
    expect(timeline).toMatchObject({ tracking_token: null, session: null, people: [], outbox: [] });
    expect(timeline?.payments.map((payment) => payment.id)).toEqual([id]);
    expect(stepsOf(timeline)?.map(([kind]) => kind)).toEqual(["payment", "paid"]);
  });

  test("of a link that hundreds came by has the newest messages, and the visit's own events", async () => {
    const { token } = await seedVisitor(own.db);
    const message = { destination: "telegram" as const, route: "7", eventName: "welcome", payload: {} };
    const messages = Array.from({ length: 250 }, (_, i) => ({
      ...message,
      eventId: `welcome_${token}_${i}`,
      trackingToken: token,
    }));
    await own.db.transaction((tx) => enqueue(tx, own.db.tables, messages));
    const ids = (await timelineByToken(own.db, token))?.outbox.map(({ event_id }) => event_id);
    expect(ids).toContain(`evt_${token}`);
    expect(ids).toContain(`welcome_${token}_249`);
    expect(ids).not.toContain(`welcome_${token}_0`);
  });

  test.each(["", "nonsense", "0".repeat(32), "' or 1=1 --", "\u0000"])("is null for %j", async (key) => {
    expect(await timelineByToken(own.db, key)).toBeNull();
    expect(await timelineByPayment(own.db, key)).toBeNull();
    expect(await timelineByEventId(own.db, key)).toBeNull();
    expect(await timelinesByTelegramUser(own.db, key)).toEqual([]);
  });
});
