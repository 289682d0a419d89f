import { type Funnel, GENERIC_SECRET, openFunnel } from "../support/funnel.ts";
import { genericWebhook } from "../support/generic-webhook.ts";
import { startToken } from "../support/start-token.ts";
import {
  buttonUpdate,
  membershipUpdate,
  newUser,
  paidUpdate,
  preCheckoutUpdate,
  startUpdate,
} from "../support/telegram-updates.ts";

/** What came of everything that Telegram and a provider tell of two sales. */
interface Told {
  /** What was told, and the status of our answer. */
  readonly answers: readonly (readonly [string, number])[];
  readonly payments: readonly string[];
  readonly states: readonly string[];
  readonly telegram: readonly string[];
  readonly meta: readonly unknown[];
  /** Statements that the log asks somebody to run. */
  readonly todos: readonly unknown[];
}

/**
 * Plays a visit, a sale that the provider's webhook confirms and takes back, and a sale in Stars, over the database of
 * that URL: every webhook there is, with whatever rights the URL's user has.
 */
export async function tellEverything(databaseUrl: string): Promise<Told> {
  const funnel = await openFunnel({ DATABASE_URL: databaseUrl });
  try {
    return await tell(funnel);
  } finally {
    await funnel.dispose();
  }
}

async function tell(funnel: Funnel): Promise<Told> {
  const { db, shop, url, sandbox, dispatcher } = funnel;
  const user = newUser();
  const answers: [string, number][] = [];
  const telegram = async (what: string, update: object) => {
    answers.push([what, (await funnel.post(shop.id, update)).status]);
  };
  const pay = async (status: string) => {
    const report = {
      provider_ref: "ref-1",
      status,
      amount_minor: 4990,
      currency: "BRL",
      tracking_token: token,
    };
    answers.push([
      status,
      (await fetch(`${url}/api/payments/webhooks/generic`, genericWebhook(GENERIC_SECRET, report))).status,
    ]);
  };

  const page = await (await fetch(`${url}/go/shop?fbclid=IwAR0abc`)).text();
  const token = startToken(page);
  await telegram("start", startUpdate(user, token));
  const offer = await funnel.addOffer({ priceMinor: 50, currency: "XTR", provider: "telegram" });
  await telegram("offer", buttonUpdate(user, `offer:${offer.id}`));
  for (const status of ["paid", "paid", "refunded", "chargeback"]) await pay(status);

  await telegram("buy", buttonUpdate(user, `buy:${offer.id}`));
  // The invoice leaves before anybody pays it.
  await dispatcher.drain();
  const sales = await db.select().from(db.tables.payments);
  const stars = sales.find(({ currency }) => currency === "XTR")?.id ?? "";
  await telegram("may pay", preCheckoutUpdate(user, stars, 50, "XTR"));
  await telegram("stars", paidUpdate(user, stars, 50, "XTR"));
  await dispatcher.drain();
  await telegram("stars back", paidUpdate(user, stars, 50, "XTR", "refunded_payment"));
  await telegram("blocked", membershipUpdate(user, "kicked"));

  const payments = await db.select().from(db.tables.payments).orderBy(db.tables.payments.createdAt);
  const states = await db.select().from(db.tables.funnelStates).orderBy(db.tables.funnelStates.id);
  return {
    answers,
    payments: payments.map(({ currency, status }) => `${currency} ${status}`),
    states: states.map(({ state }) => state),
    telegram: funnel.chat(user.id).map(({ method }) => method),
    meta: sandbox.events.list().map(({ event }) => event.event_name),
    todos: funnel.logLines.flatMap(({ todo }) => (todo === undefined ? [] : [todo])),
  };
}
