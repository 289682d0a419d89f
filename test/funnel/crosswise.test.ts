import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import postgres from "postgres";
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
    beforeAll(async () => {
      funnel = await openFunnel();
      other = postgres(funnel.deps.config.database.url, { max: 1, onnotice: () => undefined });
    });
    afterAll(async () => {
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
  },
);
