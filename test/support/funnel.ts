import { eq } from "drizzle-orm";
import { telegramBotApi } from "../../src/bots/telegram-bot-api.ts";
import type { Tables } from "../../src/db/define-schema.ts";
import type { Deps } from "../../src/deps.ts";
import {
  type Checkout,
  type CheckoutRequest,
  type PaymentProvider,
  ProviderError,
} from "../../src/payments/providers/adapter.ts";
import { genericProvider } from "../../src/payments/providers/generic.ts";
import { startSandbox } from "../../src/sandbox/app.ts";
import { openDispatcher } from "../../src/services.ts";
import { createTestApp } from "./app.ts";
import { addPool } from "./pools.ts";
import { addFault, askSandbox } from "./sandbox.ts";
import { visitsOf } from "./visits.ts";

export const BOT_TOKEN = "700001:AAF-a_well_formed_token_of_a_test_bot";
export const OTHER_TOKEN = "700002:AAF-another_well_formed_token_of_a_bot";
export const PIXEL = "5555555555";
export const GENERIC_SECRET = "generic-secret-0123456789";
export const API_KEY = "test-api-key-0123456789";

/**
 * The bots' side of an installation over real HTTP: the app listens, the sandbox is Telegram and Meta, and pushes
 * updates as Telegram would. `environment` adds settings, `payments` stands in for what payments work with.
 */
export async function openFunnel(
  environment: Readonly<Record<string, string>> = {},
  payments: Partial<Deps["payments"]> = {},
) {
  const sandbox = await startSandbox();
  const provider = fakeProviders();
  const own = await createTestApp(
    { TELEGRAM_API_URL: sandbox.url, META_GRAPH_URL: sandbox.url, API_KEY, ...environment },
    (deps) => ({ ...deps, payments: { ...deps.payments, providers: provider.providers, ...payments } }),
  );
  const { db, deps } = own;
  const url = own.listen();
  const dispatcher = openDispatcher(deps);
  const added = await addPool(
    db,
    {
      slug: "shop",
      metaPixelId: PIXEL,
      metaAccessToken: deps.secrets.seal("EAAtest-token-0123456789", "pools.meta_access_token"),
    },
    // Visits go to the one, so that tests know where.
    [{ username: "shop_bot" }, { username: "other_bot", enabled: false }],
  );
  await deps.pools.refresh();
  const { pool } = added;
  const [shop, other] = added.bots;
  if (!shop || !other) throw new Error("the bots are missing");
  const secrets = new Map<number, string>();
  for (const [bot, token] of [
    [shop, BOT_TOKEN],
    [other, OTHER_TOKEN],
  ] as const) {
    const secret = `secret-of-${bot.id}`;
    secrets.set(bot.id, secret);
    await db.transaction(async (tx) => {
      await tx
        .update(db.tables.bots)
        .set({
          token: deps.secrets.seal(token, "bots.token"),
          webhookSecret: deps.secrets.seal(secret, "bots.webhook_secret"),
          telegramId: token.split(":")[0] ?? "",
        })
        .where(eq(db.tables.bots.id, bot.id));
    });
    await telegramBotApi(sandbox.url).setWebhook(token, { url: `${url}/telegram/${bot.id}`, secret });
  }

  return {
    ...own,
    sandbox,
    url,
    provider,
    dispatcher,
    pool,
    shop,
    other,
    /** A visit by the pool's ad, not yet recorded. */
    visit: visitsOf(added),
    /** An update as it stands in a webhook, straight to our server. */
    post(botId: number, update: unknown) {
      return fetch(`${url}/telegram/${botId}`, {
        method: "POST",
        headers: { "x-telegram-bot-api-secret-token": secrets.get(botId) ?? "" },
        body: typeof update === "string" ? update : JSON.stringify(update),
      });
    },
    /** An update that Telegram pushes, carrying out the call in our answer. */
    push: (update: object, token = BOT_TOKEN) =>
      askSandbox(sandbox, "POST", "/telegram/updates", { token, update }),
    fault: (fault: object) => addFault(sandbox, "telegram", fault),
    async addOffer(columns: Partial<Tables["offers"]["$inferInsert"]> = {}) {
      const { offers } = db.tables;
      const row = {
        botId: shop.id,
        name: "Curso <1>",
        description: "Tudo sobre pontes",
        priceMinor: 4990,
        currency: "BRL",
        provider: "pix",
        delivery: "https://example.com/course",
        createdAt: new Date(),
        updatedAt: new Date(),
        ...columns,
      };
      const [offer] = await db.transaction((tx) => tx.insert(offers).values(row).returning());
      if (!offer) throw new Error("the offer was not created");
      return offer;
    },
    /** The messages that reached a person's chat, in order. */
    chat: (userId: number) =>
      sandbox.calls
        .items()
        .filter((call) => call.ok && call.via === "api" && String(call.params.chat_id) === String(userId)),
    async dispose() {
      await dispatcher.stop(0);
      await own.dispose();
      await sandbox.stop();
    },
  };
}

export type Funnel = Awaited<ReturnType<typeof openFunnel>>;

/** Payment providers that answer what they are told to; `generic` takes signed webhooks, too. */
function fakeProviders() {
  const asked: string[] = [];
  const pix = (reference: string): Checkout => ({
    kind: "pix",
    providerRef: reference,
    code: `pix-${reference}`,
    url: null,
  });
  let answer = pix;
  let refusalOf: (request: CheckoutRequest) => string | null = () => null;
  const generic = genericProvider(GENERIC_SECRET, () => new Date());
  const providers = ["pix", "card", "slowpix", "laned", "generic"].map((name): [string, PaymentProvider] => [
    name,
    {
      ...generic,
      name,
      async createCheckout(request) {
        const { reference } = request;
        asked.push(reference);
        const refusal = refusalOf(request);
        if (refusal !== null) throw new ProviderError(refusal, { isPermanent: true });
        return answer(reference);
      },
    },
  ]);
  return {
    asked,
    providers: new Map(providers),
    answerWith(next: (reference: string) => Checkout) {
      answer = next;
    },
    answerWithPix() {
      answer = pix;
    },
    /** Sales that the provider refuses for good, and why. */
    refuse(reason: (request: CheckoutRequest) => string | null) {
      refusalOf = reason;
    },
  };
}
