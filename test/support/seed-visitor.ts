import type { Database } from "../../src/db/database.ts";
import type { FunnelState } from "../../src/db/vocabulary.ts";
import { pageViewId } from "../../src/meta/event-ids.ts";
import { outboxTable } from "../../src/outbox/enqueue.ts";
import { newId } from "../../src/platform/ids.ts";

const T0 = Date.parse("2025-03-01T12:00:00.000Z");

export interface SeededVisitor {
  readonly token: string;
  readonly paymentId: string;
  readonly telegramUserId: string;
  readonly slug: string;
}

/** A visitor who went all the way, one second between the steps; `T0` is the click. */
export async function seedVisitor(db: Database, options: { organic?: boolean } = {}): Promise<SeededVisitor> {
  const { tables } = db;
  const token = newId();
  const paymentId = newId();
  const slug = `pool-${token.slice(-12)}`;
  const telegramUserId = String(Number.parseInt(token.slice(-10), 16));
  const at = (seconds: number) => new Date(T0 + seconds * 1_000);
  const times = { createdAt: at(0), updatedAt: at(0) };
  const trackingToken = options.organic ? null : token;

  await db.transaction(async (tx) => {
    const [pool] = await tx
      .insert(tables.pools)
      .values({ slug, name: "Summer", captureParams: [], ...times })
      .returning({ id: tables.pools.id });
    const [bot] = await tx
      .insert(tables.bots)
      .values({ username: `bot_${token.slice(-12)}`, ...times })
      .returning({ id: tables.bots.id });
    if (pool === undefined || bot === undefined) throw new Error("nothing was inserted");
    if (!options.organic) {
      await tx.insert(tables.sessions).values({
        trackingToken: token,
        rootEventId: pageViewId(token),
        poolId: pool.id,
        botId: bot.id,
        pageviewSent: true,
        pageviewSentAt: at(0),
        pageviewTs: at(0),
        clickTs: at(0),
        fbclid: "IwAR0abcDEF",
        fbc: `fb.1.${T0}.IwAR0abcDEF`,
        fbcOrigin: "generated",
        fbp: `fb.1.${T0}.1234567890`,
        cookiesAt: at(1),
        utmSource: "facebook",
        clientIp: "2001:db8::1",
        userAgent: "Mozilla/5.0 <script>alert(1)</script>",
        userExternalId: telegramUserId,
        ...times,
      });
    }
    const [person] = await tx
      .insert(tables.botUsers)
      .values({
        botId: bot.id,
        telegramUserId,
        firstName: "Ana",
        firstToken: trackingToken,
        latestToken: trackingToken,
        ...times,
      })
      .returning({ id: tables.botUsers.id });
    await tx.insert(tables.payments).values({
      id: paymentId,
      provider: "generic",
      providerRef: `ref-${paymentId}`,
      status: "paid",
      amountMinor: 4990,
      currency: "BRL",
      poolId: pool.id,
      botId: bot.id,
      botUserId: person?.id ?? null,
      trackingToken,
      customer: { em: "digest-that-stays-inside" },
      paidAt: at(6),
      metaPurchaseSent: true,
      metaPurchaseSentAt: at(6),
      createdAt: at(5),
      updatedAt: at(6),
    });
    const states: [FunnelState, number][] = [
      ["started", 3],
      ["offer_viewed", 4],
      ["paid", 6],
      ["delivered", 8],
    ];
    for (const [state, seconds] of states) {
      await tx.insert(tables.funnelStates).values({
        dedupKey: `${state}-${token}`,
        state,
        poolId: pool.id,
        botId: bot.id,
        botUserId: person?.id ?? null,
        trackingToken,
        paymentId: seconds >= 6 ? paymentId : null,
        createdAt: at(seconds),
      });
    }
    const row = (eventName: string, eventId: string, seconds: number, deliveredSeconds: number | null) => ({
      destination: eventName === "delivery" ? ("telegram" as const) : ("meta" as const),
      route: eventName === "delivery" ? String(bot.id) : "123",
      eventName,
      eventId,
      poolId: pool.id,
      trackingToken,
      paymentId: eventId.endsWith(paymentId) ? paymentId : null,
      payload: { event_id: eventId },
      status: deliveredSeconds === null ? ("dead" as const) : ("delivered" as const),
      attempts: 1,
      lastError: deliveredSeconds === null ? "Invalid parameter" : null,
      availableAt: at(seconds),
      createdAt: at(seconds),
      deliveredAt: deliveredSeconds === null ? null : at(deliveredSeconds),
    });
    await tx.insertSplit(outboxTable(tables), [
      ...(options.organic ? [] : [row("PageView", pageViewId(token), 0, 2)]),
      row("Purchase", `purchase_${paymentId}`, 6, null),
      row("delivery", `delivery_${paymentId}`, 6, 7),
    ]);
  });
  return { token, paymentId, telegramUserId, slug };
}
