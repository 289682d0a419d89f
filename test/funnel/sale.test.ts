import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { and, eq, inArray } from "drizzle-orm";
import { countReplay, replay } from "../../src/outbox/replay.ts";
import { testDialect } from "../support/database.ts";
import { type Funnel, openFunnel } from "../support/funnel.ts";
import {
  buttonUpdate,
  membershipUpdate,
  newUser,
  paidUpdate,
  preCheckoutUpdate,
  startUpdate,
  type TestUser,
} from "../support/telegram-updates.ts";
import { untilHeldUp } from "../support/until-held-up.ts";

let funnel: Funnel;
beforeAll(async () => {
  funnel = await openFunnel();
});
afterAll(() => funnel.dispose());

async function stored(user: TestUser) {
  const { db } = funnel;
  const { botUsers, funnelStates, payments, outbox } = db.tables;
  const [person] = await db
    .select()
    .from(botUsers)
    .where(eq(botUsers.telegramUserId, String(user.id)));
  const id = person?.id ?? 0;
  const states = await db
    .select()
    .from(funnelStates)
    .where(eq(funnelStates.botUserId, id))
    .orderBy(funnelStates.id);
  const sales = await db
    .select()
    .from(payments)
    .where(eq(payments.botUserId, id))
    .orderBy(payments.createdAt);
  const rows = await db.select().from(outbox).orderBy(outbox.id);
  return {
    person,
    states: states.map(({ state }) => state),
    sales,
    rows: rows.filter(({ payload }) => JSON.stringify(payload).includes(`"${user.id}"`)),
  };
}

/** Somebody who tapped "buy". */
async function buyer(offerId: number) {
  const user = newUser();
  await funnel.push(startUpdate(user));
  await funnel.dispatcher.drain();
  await funnel.push(buttonUpdate(user, `buy:${offerId}`));
  const { sales } = await stored(user);
  const [sale] = sales;
  if (!sale) throw new Error("nothing was sold");
  return { user, sale };
}

/** The answer to Telegram's question before it takes the money. */
async function mayPay(user: TestUser, payload: string, amount: number, currency: string) {
  const answer = await funnel.post(funnel.shop.id, preCheckoutUpdate(user, payload, amount, currency));
  return answer.json();
}

/** The deliveries that reached somebody. */
const goods = (user: TestUser) =>
  funnel.chat(user.id).filter(({ params }) => String(params.text).includes("/course"));

/** An offer that is paid inside Telegram. */
const addStarsOffer = () => funnel.addOffer({ provider: "telegram", currency: "XTR", priceMinor: 50 });

describe(`offers and sales in the chat on ${testDialect}`, () => {
  test("a tap on an offer answers the tap at once and describes it", async () => {
    const offer = await funnel.addOffer();
    const user = newUser();
    await funnel.push(startUpdate(user));
    const answer = await funnel.push(buttonUpdate(user, `offer:${offer.id}`));
    expect(answer).toMatchObject({ status: 200, call: { method: "answerCallbackQuery" } });
    await funnel.push(buttonUpdate(user, `offer:${offer.id}`));
    const { states, rows } = await stored(user);
    expect(states).toEqual(["started", "offer_viewed"]);
    expect(rows.map(({ eventName }) => eventName)).toEqual(["welcome", "offer", "offer"]);
    await funnel.dispatcher.drain();
    const shown = funnel.chat(user.id).at(-1);
    expect(shown?.params.text).toContain("<b>Curso &lt;1&gt;</b>");
    expect(JSON.stringify(shown?.params.reply_markup)).toContain(`buy:${offer.id}`);
  });

  test("who looks at an offer counts once for each offer and visit", async () => {
    const [first, second] = [await funnel.addOffer(), await funnel.addOffer()];
    const user = newUser();
    for (const offer of [first, first, second]) await funnel.push(buttonUpdate(user, `offer:${offer.id}`));
    await funnel.push(startUpdate(user, funnel.visit().trackingToken));
    await funnel.push(buttonUpdate(user, `offer:${first.id}`));
    const { botUsers, funnelStates } = funnel.db.tables;
    const views = await funnel.db
      .select({ offerId: funnelStates.offerId })
      .from(funnelStates)
      .innerJoin(botUsers, eq(botUsers.id, funnelStates.botUserId))
      .where(and(eq(botUsers.telegramUserId, String(user.id)), eq(funnelStates.state, "offer_viewed")))
      .orderBy(funnelStates.id);
    expect(views.map(({ offerId }) => offerId)).toEqual([first.id, second.id, first.id]);
  });

  test("the welcome shows what is for sale, in the operator's order", async () => {
    const [last, off, first, others] = [
      await funnel.addOffer({ position: -1 }),
      await funnel.addOffer({ position: -2, enabled: false }),
      await funnel.addOffer({ position: -2 }),
      await funnel.addOffer({ position: -3, botId: funnel.other.id }),
    ];
    const user = newUser();
    await funnel.push(startUpdate(user));
    await funnel.dispatcher.drain();
    const markup = JSON.stringify(funnel.chat(user.id)[0]?.params.reply_markup);
    const shown = [...markup.matchAll(/offer:(\d+)/g)].map(([, id]) => Number(id));
    expect(shown.slice(0, 2)).toEqual([first.id, last.id]);
    expect(shown).not.toContain(off.id);
    expect(shown).not.toContain(others.id);
  });

  test("a bot with a language of its own speaks it to everybody", async () => {
    const { db, shop } = funnel;
    const setLocale = (locale: "en" | null) =>
      db.transaction((tx) => tx.update(db.tables.bots).set({ locale }).where(eq(db.tables.bots.id, shop.id)));
    await setLocale("en");
    const offer = await addStarsOffer();
    const { user, sale } = await buyer(offer.id);
    const gone = await funnel.post(shop.id, buttonUpdate(user, "buy:999999"));
    const closed = await mayPay(user, sale.id, 49, "XTR");
    await funnel.push(paidUpdate(user, sale.id, 50, "XTR"));
    await funnel.dispatcher.drain();
    await setLocale(null);
    expect(await gone.json()).toMatchObject({ text: expect.stringContaining("not available any more") });
    expect(closed).toMatchObject({ error_message: expect.stringContaining("not open any more") });
    const texts = funnel.chat(user.id).map(({ params }) => String(params.text));
    expect(texts[0]).toContain("Hello, Ana!");
    expect(texts.at(-1)).toContain("Payment confirmed!");
  });

  test("what a sale costs stands still, though the offer's price changes before the way to pay goes out", async () => {
    const { db } = funnel;
    const offer = await funnel.addOffer();
    const { user } = await buyer(offer.id);
    await db.transaction((tx) =>
      tx.update(db.tables.offers).set({ priceMinor: 9_990 }).where(eq(db.tables.offers.id, offer.id)),
    );
    await funnel.dispatcher.drain();
    expect(funnel.chat(user.id).at(-1)?.params.caption).toMatch(/R\$\s49,90/);
  });

  test("a tap on buy registers one payment; the provider is asked once, when the message goes out", async () => {
    const offer = await funnel.addOffer();
    const { user, sale } = await buyer(offer.id);
    expect(sale).toMatchObject({
      status: "pending",
      provider: "pix",
      amountMinor: 4990,
      currency: "BRL",
      offerId: offer.id,
    });
    expect(funnel.provider.asked).not.toContain(sale.id);
    expect((await stored(user)).states).toEqual(["started", "checkout_started"]);
    await funnel.dispatcher.drain();
    expect(funnel.provider.asked.filter((id) => id === sale.id)).toHaveLength(1);
    const message = funnel.chat(user.id).at(-1);
    expect(message).toMatchObject({
      method: "sendPhoto",
      params: { photo: { file_name: "pix.png", size: expect.any(Number) } },
    });
    expect(message?.params.caption).toContain(`<code>pix-${sale.id}</code>`);
    expect(message?.params.caption).toMatch(/R\$\s49,90/);
    expect(JSON.stringify(message?.params.reply_markup)).toContain("copy_text");
  });

  test("a tap on buy while the offer is being removed is told so, and sells nothing", async () => {
    const { db } = funnel;
    const { offers } = db.tables;
    const offer = await funnel.addOffer();
    const user = newUser();
    await funnel.push(startUpdate(user));
    const tap = await db.transaction(async (tx) => {
      await tx.delete(offers).where(eq(offers.id, offer.id));
      const tap = funnel.push(buttonUpdate(user, `buy:${offer.id}`));
      await untilHeldUp(db, tap);
      return { answer: tap };
    });
    expect(await tap.answer).toMatchObject({
      status: 200,
      call: {
        method: "answerCallbackQuery",
        params: { text: "Esta oferta não está mais disponível." },
      },
    });
    expect(await stored(user)).toMatchObject({ states: ["started"], sales: [] });
  });

  test.each([
    ["the price is being changed", { priceMinor: 70 }, 70],
    ["the offer is being taken off sale", { enabled: false }, null],
  ] as const)("a tap on buy while %s sells for the new price, or not at all", async (_, change, amount) => {
    const { db } = funnel;
    const { offers, botUsers } = db.tables;
    const offer = await addStarsOffer();
    const user = newUser();
    await funnel.push(startUpdate(user));
    const tap = await db.transaction(async (tx) => {
      await tx.update(offers).set(change).where(eq(offers.id, offer.id));
      // Held, so that the tap waits: it has seen the offer by then.
      const isBuyer = eq(botUsers.telegramUserId, String(user.id));
      await tx.update(botUsers).set({ username: "ana" }).where(isBuyer);
      const tap = funnel.push(buttonUpdate(user, `buy:${offer.id}`));
      await untilHeldUp(db, tap);
      return { answer: tap };
    });
    await tap.answer;
    await funnel.dispatcher.drain();
    const invoices = funnel.chat(user.id).filter(({ method }) => method === "sendInvoice");
    const { sales } = await stored(user);
    expect([invoices.length, sales.length]).toEqual(amount === null ? [0, 0] : [1, 1]);
    const [invoice] = invoices;
    if (amount === null || !invoice) return;
    expect(JSON.stringify(invoice.params.prices)).toContain(`"amount":${amount}`);
    expect(await mayPay(user, String(invoice.params.payload), amount, "XTR")).toMatchObject({ ok: true });
  });

  test("whose offer somebody removed in SQL before the way to pay went out hears that it cannot be paid", async () => {
    const { db, dispatcher } = funnel;
    const { offers } = db.tables;
    const offer = await funnel.addOffer();
    const { user } = await buyer(offer.id);
    await db.transaction((tx) => tx.delete(offers).where(eq(offers.id, offer.id)));
    await dispatcher.drain();
    await dispatcher.drain();
    expect(funnel.chat(user.id).at(-1)?.params.text).toBe(
      "Esta oferta não pode ser paga no momento. Tente de novo mais tarde, por favor.",
    );
  });

  test("a link is a button to the provider's page", async () => {
    const offer = await funnel.addOffer({ provider: "card", currency: "USD", priceMinor: 1_000 });
    funnel.provider.answerWith((providerRef) => ({
      kind: "link",
      providerRef,
      url: "https://pay.example.com/c/1",
    }));
    const { user } = await buyer(offer.id);
    await funnel.dispatcher.drain();
    funnel.provider.answerWithPix();
    const message = funnel.chat(user.id).at(-1);
    expect(JSON.stringify(message?.params.reply_markup)).toContain("https://pay.example.com/c/1");
  });

  test("who tells Telegram no language is shown the way to pay all the same", async () => {
    const offer = await funnel.addOffer();
    const user = newUser({ language_code: undefined });
    await funnel.push(buttonUpdate(user, `buy:${offer.id}`));
    await funnel.dispatcher.drain();
    const { rows } = await stored(user);
    expect(rows).toMatchObject([{ eventName: "checkout", status: "delivered" }]);
  });

  test("tapping buy again soon is the same sale, shown again; at a new price it is a new one", async () => {
    const offer = await funnel.addOffer();
    const { user, sale } = await buyer(offer.id);
    await funnel.push(buttonUpdate(user, `buy:${offer.id}`));
    expect((await stored(user)).sales).toHaveLength(1);
    const { rows } = await stored(user);
    expect(rows.filter(({ paymentId }) => paymentId === sale.id)).toHaveLength(2);
    const { db } = funnel;
    await db.transaction((tx) =>
      tx.update(db.tables.offers).set({ priceMinor: 3_990 }).where(eq(db.tables.offers.id, offer.id)),
    );
    await funnel.push(buttonUpdate(user, `buy:${offer.id}`));
    expect((await stored(user)).sales.map(({ amountMinor }) => amountMinor).sort()).toEqual([3_990, 4_990]);
  });

  test.each([
    ["pix", "paid"],
    ["telegram", "paid"],
    ["pix", "refunded"],
    ["pix", "chargeback"],
  ] as const)(
    "a second tap on buy (%s) that waited until the payment was %s shows no way to pay, and says nothing",
    async (provider, status) => {
      const { db } = funnel;
      const isInvoice = provider === "telegram";
      const offer = await (isInvoice ? addStarsOffer() : funnel.addOffer({ provider }));
      const { user, sale } = await buyer(offer.id);
      if (isInvoice) await funnel.dispatcher.drain();
      await funnel.push(buttonUpdate(user, `buy:${offer.id}`));
      const shown = funnel.chat(user.id).length;
      if (isInvoice) await funnel.push(paidUpdate(user, sale.id, 50, "XTR"));
      const { payments } = db.tables;
      await db.transaction((tx) => tx.update(payments).set({ status }).where(eq(payments.id, sale.id)));
      await funnel.dispatcher.drain();
      await funnel.dispatcher.drain();
      const { rows } = await stored(user);
      const last = rows.filter(({ eventName }) => eventName === "checkout").at(-1);
      expect(last).toMatchObject({
        status: "discarded",
        lastError: `not sent: the payment is ${status} already`,
      });
      expect(await replay(db, "retry", { ids: [last?.id ?? 0] })).toBe(0);
      const said = funnel.chat(user.id).slice(shown);
      expect(said.filter(({ params }) => !String(params.text).includes("/course"))).toEqual([]);
    },
  );

  test("twenty taps at once, and twenty copies of each, are one sale", async () => {
    const offer = await funnel.addOffer();
    const user = newUser();
    await funnel.push(startUpdate(user));
    const taps = Array.from({ length: 20 }, () => buttonUpdate(user, `buy:${offer.id}`));
    const answers = await Promise.all(
      taps.flatMap((tap) => [tap, tap, tap]).map((tap) => funnel.post(funnel.shop.id, tap)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const { sales, rows, states } = await stored(user);
    expect(sales).toHaveLength(1);
    expect(rows.filter(({ eventName }) => eventName === "checkout")).toHaveLength(20);
    expect(states.filter((state) => state === "checkout_started")).toHaveLength(1);
  });

  test("a copy of a tap is answered again, so that the button stops waiting", async () => {
    const offer = await funnel.addOffer();
    const user = newUser();
    const tap = buttonUpdate(user, `offer:${offer.id}`);
    for (let copies = 0; copies < 2; copies++) {
      const answer = await funnel.post(funnel.shop.id, tap);
      expect(await answer.json()).toMatchObject({ method: "answerCallbackQuery" });
    }
    expect((await stored(user)).rows).toHaveLength(1);
  });

  test("an offer that is taken off sale is neither shown nor sold any more", async () => {
    const offer = await funnel.addOffer({ enabled: false });
    const user = newUser();
    for (const tapped of ["offer", "buy"]) await funnel.push(buttonUpdate(user, `${tapped}:${offer.id}`));
    expect((await stored(user)).person).toBeUndefined();
  });
});

describe(`Telegram Payments on ${testDialect}`, () => {
  test("Stars: invoice, question, payment, delivery, refund", async () => {
    const offer = await addStarsOffer();
    const { user, sale } = await buyer(offer.id);
    await funnel.dispatcher.drain();
    const invoice = funnel.chat(user.id).at(-1);
    expect(invoice).toMatchObject({
      method: "sendInvoice",
      params: { payload: sale.id, currency: "XTR", prices: [{ amount: 50 }] },
    });
    expect(invoice?.params.provider_token).toBeUndefined();

    expect(await mayPay(user, sale.id, 50, "XTR")).toMatchObject({
      method: "answerPreCheckoutQuery",
      ok: true,
    });
    const paid = paidUpdate(user, sale.id, 50, "XTR");
    await funnel.push(paid);
    await funnel.push(paid);
    await funnel.push(paidUpdate(user, sale.id, 50, "XTR"));
    await funnel.dispatcher.drain();
    const after = await stored(user);
    expect(after.sales).toMatchObject([
      {
        status: "paid",
        amountMinor: 50,
        metaPurchaseSent: true,
        providerData: { charge: `charge-${sale.id}` },
      },
    ]);
    expect(after.states).toEqual(["started", "checkout_started", "paid", "delivered"]);
    expect(goods(user)).toHaveLength(1);
    expect(await mayPay(user, sale.id, 50, "XTR")).toMatchObject({ ok: false });

    await funnel.push(paidUpdate(user, sale.id, 50, "XTR", "refunded_payment"));
    const refunded = await stored(user);
    expect(refunded.sales).toMatchObject([{ status: "refunded" }]);
    expect(refunded.states.at(-1)).toBe("refunded");
    const delivery = refunded.rows.find(({ eventName }) => eventName === "delivery");
    expect(delivery).toMatchObject({ status: "delivered" });
  });

  test.each([
    ["had blocked the bot", "403"],
    ["the bot had never met", "400"],
  ])("who %s when it was delivered gets it when they come back, once", async (_, mode) => {
    const offer = await addStarsOffer();
    const { user, sale } = await buyer(offer.id);
    await funnel.dispatcher.drain();
    await funnel.fault({ mode, chat_id: user.id, times: 1 });
    await funnel.push(paidUpdate(user, sale.id, 50, "XTR"));
    await funnel.dispatcher.drain();
    expect((await stored(user)).states).toEqual(["started", "checkout_started", "paid", "blocked"]);
    for (let times = 0; times < 2; times++) {
      await funnel.push(startUpdate(user));
      await funnel.dispatcher.drain();
      expect((await stored(user)).states).toContain("delivered");
      await funnel.push(membershipUpdate(user, "kicked"));
    }
    expect(goods(user)).toHaveLength(1);
  });

  test("who comes back gets nothing again but what died of their block, and nobody else's messages are tried", async () => {
    const { db } = funnel;
    const { outboxEvents, outboxProgress, outbox } = db.tables;
    const offer = await addStarsOffer();
    const [back, away, refused] = [await buyer(offer.id), await buyer(offer.id), await buyer(offer.id)];
    await funnel.dispatcher.drain();
    for (const { user, sale } of [back, away, refused]) {
      await funnel.fault({ mode: "403", chat_id: user.id, times: 1 });
      await funnel.push(paidUpdate(user, sale.id, 50, "XTR"));
    }
    await funnel.dispatcher.drain();
    const its = db
      .select({ id: outboxEvents.id })
      .from(outboxEvents)
      .where(eq(outboxEvents.eventId, `delivery_${refused.sale.id}`));
    await db.transaction((tx) =>
      tx
        .update(outboxProgress)
        .set({ lastError: "Bad Request: message is too long" })
        .where(inArray(outboxProgress.id, its)),
    );
    for (const { user } of [back, refused]) await funnel.push(startUpdate(user));
    await funnel.dispatcher.drain();
    expect([back, away, refused].map(({ user }) => goods(user).length)).toEqual([1, 0, 0]);
    const [waiting] = await db
      .select({ status: outbox.status })
      .from(outbox)
      .where(eq(outbox.eventId, `delivery_${away.sale.id}`));
    expect(waiting).toEqual({ status: "dead" });
  });

  test("money that went back before the delivery went out: nothing goes out, then or later", async () => {
    const { db } = funnel;
    const { outbox } = db.tables;
    const offer = await addStarsOffer();
    const deliveryOf = async (id: string) => {
      const [row] = await db
        .select()
        .from(outbox)
        .where(eq(outbox.eventId, `delivery_${id}`));
      return row;
    };
    const first = await buyer(offer.id);
    await funnel.push(paidUpdate(first.user, first.sale.id, 50, "XTR"));
    await funnel.push(paidUpdate(first.user, first.sale.id, 50, "XTR", "refunded_payment"));
    expect(await deliveryOf(first.sale.id)).toMatchObject({ status: "discarded" });
    const ids = [(await deliveryOf(first.sale.id))?.id ?? 0];
    expect(await countReplay(db, "retry", { ids })).toBe(0);
    expect(await replay(db, "retry", { ids })).toBe(0);

    // On its way when the money goes back, and the answer is not heard of: it waits again, and is not sent again.
    const second = await buyer(offer.id);
    await funnel.push(paidUpdate(second.user, second.sale.id, 50, "XTR"));
    const { outboxProgress } = db.tables;
    const delivery = await deliveryOf(second.sale.id);
    const setStatus = (status: "sending" | "pending") =>
      db.transaction((tx) =>
        tx
          .update(outboxProgress)
          .set({ status })
          .where(eq(outboxProgress.id, delivery?.id ?? 0)),
      );
    await setStatus("sending");
    await funnel.push(paidUpdate(second.user, second.sale.id, 50, "XTR", "refunded_payment"));
    await setStatus("pending");
    await funnel.dispatcher.drain();
    expect(await deliveryOf(second.sale.id)).toMatchObject({
      status: "discarded",
      lastError: "not sent: the money went back before",
    });
    expect([...goods(first.user), ...goods(second.user)]).toEqual([]);
  });

  test("fifty copies of a payment at once leave one Purchase and one delivery", async () => {
    const offer = await addStarsOffer();
    const { user, sale } = await buyer(offer.id);
    const paid = paidUpdate(user, sale.id, 50, "XTR");
    await Promise.all(Array.from({ length: 50 }, () => funnel.post(funnel.shop.id, paid)));
    const { outbox } = funnel.db.tables;
    const rows = await funnel.db.select().from(outbox).where(eq(outbox.paymentId, sale.id));
    const names = rows.map(({ eventName }) => eventName).sort();
    expect(names).toEqual(["Purchase", "checkout", "delivery"]);
  });

  test("in money the provider's token is put in on the way out, and stands nowhere else", async () => {
    const { db, deps, shop } = funnel;
    const token = "284685063:TEST:provider-token-of-the-shop";
    const setToken = (paymentToken: string | null) =>
      db.transaction((tx) =>
        tx.update(db.tables.bots).set({ paymentToken }).where(eq(db.tables.bots.id, shop.id)),
      );
    await setToken(deps.secrets.seal(token, "bots.payment_token"));
    const offer = await funnel.addOffer({ provider: "telegram", currency: "BRL", priceMinor: 4_990 });
    const { user, sale } = await buyer(offer.id);
    await funnel.dispatcher.drain();
    await setToken(null);
    expect(funnel.chat(user.id).at(-1)).toMatchObject({
      method: "sendInvoice",
      params: { currency: "BRL", prices: [{ amount: 4_990 }], provider_token: "***", payload: sale.id },
    });
    const rows = [
      ...(await db.select().from(db.tables.outbox)),
      ...(await db.select().from(db.tables.outboxAttempts)),
      ...funnel.logLines,
    ];
    expect(JSON.stringify(rows)).not.toContain("provider-token-of-the-shop");
  });

  test("only the very invoice may be paid, by the person it was made for", async () => {
    const offer = await addStarsOffer();
    const { user, sale } = await buyer(offer.id);
    const pix = await buyer((await funnel.addOffer()).id);
    const no = {
      method: "answerPreCheckoutQuery",
      ok: false,
      error_message: expect.stringContaining("cobrança"),
    };
    expect(await mayPay(user, sale.id, 49, "XTR")).toMatchObject(no);
    expect(await mayPay(user, sale.id, 50, "USD")).toMatchObject(no);
    expect(await mayPay(newUser(), sale.id, 50, "XTR")).toMatchObject(no);
    expect(await mayPay(user, "f".repeat(32), 50, "XTR")).toMatchObject(no);
    expect(await mayPay(user, "' or 1=1 --", 50, "XTR")).toMatchObject(no);
    expect(await mayPay(pix.user, pix.sale.id, 4_990, "BRL")).toMatchObject(no);
    expect(await mayPay(user, sale.id, 50, "XTR")).toMatchObject({ ok: true });
    const elsewhere = await funnel.post(funnel.other.id, preCheckoutUpdate(user, sale.id, 50, "XTR"));
    expect(await elsewhere.json()).toMatchObject(no);
    expect((await stored(user)).sales).toMatchObject([{ status: "pending" }]);
  });

  test("money for an invoice that is not ours is 200, and called out in the log", async () => {
    const user = newUser();
    for (const payload of ["somebody-else's", "e".repeat(32)]) {
      const answer = await funnel.post(funnel.shop.id, paidUpdate(user, payload, 50, "XTR"));
      expect(answer.status).toBe(200);
    }
    const errors = funnel.logLines.filter(({ msg }) => msg?.startsWith("Telegram reports money"));
    expect(errors).toHaveLength(2);
  });
});
