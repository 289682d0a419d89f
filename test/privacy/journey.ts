import { eq } from "drizzle-orm";
import { API_KEY, type Funnel, GENERIC_SECRET } from "../support/funnel.ts";
import { genericWebhook } from "../support/generic-webhook.ts";
import { startToken } from "../support/start-token.ts";
import { buttonUpdate, newUser, startUpdate } from "../support/telegram-updates.ts";

/** The pool reports every step that it can. */
export async function reportEveryStep({ db, deps, pool }: Funnel): Promise<void> {
  const { pools } = db.tables;
  await db.transaction(async (tx) => {
    await tx
      .update(pools)
      .set({
        sendLead: true,
        sendInitiateCheckout: true,
        utmifyPixelId: "66f0a1",
        updatedAt: new Date(pool.updatedAt.getTime() + 1_000),
      })
      .where(eq(pools.id, pool.id));
  });
  await deps.pools.refresh();
}

/** A click, as the phone of somebody far away makes it; answers the page or the redirect, with its tracking token. */
export async function click(funnel: Funnel, query: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${funnel.url}/go/shop?${query}`, {
    redirect: "manual",
    headers: { "user-agent": "Mozilla/5.0 (iPhone)", ...headers },
  });
  const html = await response.text();
  const link = response.headers.get("location") ?? html;
  const token = startToken(link);
  return { response, html, token };
}

export function post(funnel: Funnel, path: string, body: object): Promise<Response> {
  return fetch(`${funnel.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** The `generic` provider's webhook, signed. */
export function report(funnel: Funnel, body: object): Promise<Response> {
  return fetch(`${funnel.url}/api/payments/webhooks/generic`, genericWebhook(GENERIC_SECRET, body));
}

/** Somebody's start with that token, and a tap on the offer's button to buy; everything due is sent. */
export async function startAndBuy(funnel: Funnel, token: string, offerId: number, extra: object = {}) {
  const user = newUser(extra);
  await funnel.push(startUpdate(user, token));
  await funnel.push(buttonUpdate(user, `offer:${offerId}`));
  await funnel.push(buttonUpdate(user, `buy:${offerId}`));
  await funnel.dispatcher.drain();
  const { botUsers, payments } = funnel.db.tables;
  const [row] = await funnel.db
    .select({ payment: payments, person: botUsers })
    .from(payments)
    .innerJoin(botUsers, eq(botUsers.id, payments.botUserId))
    .where(eq(botUsers.telegramUserId, String(user.id)));
  if (!row) throw new Error("nothing was sold");
  return { user, ...row };
}

/** What the sandbox took as Meta, of one visit or payment. */
export function reachedMeta(funnel: Funnel, id: string) {
  return funnel.sandbox.events
    .list()
    .map(({ event }) => event)
    .filter((event) => JSON.stringify(event).includes(id));
}
