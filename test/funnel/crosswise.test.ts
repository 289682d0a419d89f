import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import postgres from "postgres";
import { UNREACHABLE } from "../../src/funnel/unreachable.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import { testDialect } from "../support/database.ts";
import { API_KEY, type Funnel, openFunnel } from "../support/funnel.ts";
import {
  buttonUpdate,
  newUser,
  paidUpdate,
  startUpdate,
  type TestUser,
} from "../support/telegram-updates.ts";
import { untilHeldUp } from "../support/until-held-up.ts";

describe.skipIf(testDialect === "sqlite")(
  "what Postgres gives up for somebody who writes crosswise is done at once anew",
  () => {
    let funnel: Funnel;
    let other: postgres.Sql;
    beforeEach(async () => {
      funnel = await openFunnel();
      other = postgres(funnel.deps.config.database.url, { max: 1, onnotice: () => undefined });
    });
    afterEach(async () => {
      await other.end();
      await funnel.dispose();
    });

    /** Somebody who came by a visit, and what they were sent. */
    async function visitor() {
      const user = newUser();
      const visit = funnel.visit("fbclid=AbCd");
      await funnel.db.transaction((tx) => recordVisits(tx, funnel.db.tables, [visit]));
      const token = visit.trackingToken;
      await funnel.post(funnel.shop.id, startUpdate(user, token));
      return { user, token };
    }

    async function buyer() {
      const { user, token } = await visitor();
      const stars = { provider: "telegram", priceMinor: 50, currency: "XTR" };
      const offer = await funnel.addOffer(stars);
      await funnel.post(funnel.shop.id, buttonUpdate(user, `buy:${offer.id}`));
      const { payments } = funnel.db.tables;
      const [sale] = await funnel.db.select().from(payments).where(eq(payments.offerId, offer.id));
      return { user, token, paymentId: sale?.id ?? "" };
    }

    /** Holds the visit, lets the work begin, then wants what the work has. */
    async function crossing(
      token: string,
      work: () => Promise<Response>,
      wanted: (tx: postgres.TransactionSql) => Promise<unknown>,
    ) {
      const [working] = await other.begin(async (tx) => {
        // So that it is not this one which is given up.
        await tx`set local deadlock_timeout = '1h'`;
        await tx`select 1 from meta_tracking_sessions where tracking_token = ${token} for update`;
        const working = work();
        await untilHeldUp(funnel.db, working);
        await wanted(tx);
        return [working];
      });
      return working;
    }

    const person =
      ({ id }: TestUser) =>
      (tx: postgres.TransactionSql) =>
        tx`select 1 from bot_users where telegram_user_id = ${String(id)} for update`;

    test("a start", async () => {
      const { user, token } = await visitor();
      const start = () => funnel.post(funnel.shop.id, startUpdate(user, token));
      expect((await crossing(token, start, person(user)))?.status).toBe(200);
    }, 60_000);

    test("a start from outside", async () => {
      const { user, token } = await visitor();
      const start = () =>
        fetch(`${funnel.url}/api/bot/start`, {
          method: "POST",
          headers: { authorization: `Bearer ${API_KEY}` },
          body: JSON.stringify({ bot: "shop_bot", telegram_user_id: String(user.id), tracking_token: token }),
        });
      expect((await crossing(token, start, person(user)))?.status).toBe(200);
    }, 60_000);

    test("a payment in Stars, which is reported once", async () => {
      const { user, token, paymentId } = await buyer();
      const pay = () => funnel.post(funnel.shop.id, paidUpdate(user, paymentId, 50, "XTR"));
      const payment = (tx: postgres.TransactionSql) =>
        tx`select 1 from payments where id = ${paymentId} for update`;
      expect((await crossing(token, pay, payment))?.status).toBe(200);
      const { outbox } = funnel.db.tables;
      const events = await funnel.db.select().from(outbox).where(eq(outbox.paymentId, paymentId));
      expect(events.map(({ eventName }) => eventName).toSorted()).toEqual([
        "Purchase",
        "checkout",
        "delivery",
      ]);
    }, 60_000);

    test("who comes back gets their dead deliveries by number, as by who retries them: of two the later one is free while the first is not", async () => {
      const { user, token, paymentId } = await buyer();
      const second = await funnel.addOffer({ provider: "telegram", priceMinor: 50, currency: "XTR" });
      await funnel.post(funnel.shop.id, buttonUpdate(user, `buy:${second.id}`));
      const [bought] = await other`select id from payments where offer_id = ${second.id}`;
      // In the other order than they were begun.
      for (const id of [bought?.id, paymentId]) {
        await funnel.post(funnel.shop.id, paidUpdate(user, id, 50, "XTR"));
      }
      const person = String(user.id);
      await other`update bot_users set blocked_at = now() where telegram_user_id = ${person}`;
      const deliveries = await other`
        update outbox_progress set status = 'dead', last_error = ${UNREACHABLE} from outbox_events event
        where event.id = outbox_progress.id and event_name = 'delivery' and payment_id in (${paymentId}, ${bought?.id})
        returning event.id`;
      const [first, later] = deliveries.map(({ id }) => Number(id)).toSorted((a, b) => a - b);
      // Among many others they are found by their payments.
      await other`
        insert into outbox_events (id, destination, event_id, payload)
        select 1000000 + i, 'telegram', 'another_' || i, '{}' from generate_series(1, 5000) i`;
      await other`
        insert into outbox_progress (id, destination, route, event_name, status, last_error, available_at, created_at)
        select 1000000 + i, 'telegram', '0', 'delivery', 'dead', ${UNREACHABLE}, now(), now()
        from generate_series(1, 5000) i`;
      // Written anew, the first one lies behind the other, and is found there.
      for (const id of [null, bought?.id]) {
        await other`update outbox_events set payment_id = ${id} where id = ${first ?? 0}`;
      }
      await other`analyze outbox_progress, outbox_events`;
      const [started] = await other.begin(async (tx) => {
        await tx`select 1 from outbox_progress where id = ${first ?? 0} for update`;
        const started = funnel.post(funnel.shop.id, startUpdate(user, token));
        await untilHeldUp(funnel.db, started);
        expect(
          await tx`select 1 from outbox_progress where id = ${later ?? 0} for update nowait`,
        ).toHaveLength(1);
        return [started];
      });
      expect((await started)?.status).toBe(200);
      const left = await other`select status from outbox_progress where id in (${first ?? 0}, ${later ?? 0})`;
      expect(left.map(({ status }) => status)).toEqual(["pending", "pending"]);
    }, 60_000);
  },
);
