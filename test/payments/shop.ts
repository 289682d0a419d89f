import { eq } from "drizzle-orm";
import { Elysia } from "elysia";
import { readConfig } from "../../src/config.ts";
import { beginCheckout } from "../../src/payments/begin-checkout.ts";
import { checkoutOf } from "../../src/payments/checkout.ts";
import { paymentsPlugin } from "../../src/payments/plugin.ts";
import { configuredProviders } from "../../src/payments/providers/configured.ts";
import { createLog } from "../../src/platform/log.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import { startSandbox } from "../../src/sandbox/app.ts";
import { saveBotUser } from "../../src/tracking/bot-users.ts";
import { createTestDatabase } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { addFault, askSandbox, clearFaults } from "../support/sandbox.ts";
import { visitsOf } from "../support/visits.ts";

const PIXEL = "5555555555";

const SECRETS = {
  STRIPE_SECRET_KEY: "sk_test_0123456789",
  STRIPE_WEBHOOK_SECRET: "whsec_test_0123456789",
  MERCADOPAGO_ACCESS_TOKEN: "APP_USR-0123456789",
  MERCADOPAGO_WEBHOOK_SECRET: "mercadopago-0123456789",
  PUSHINPAY_TOKEN: "41909|pushinpay0123456789",
  PUSHINPAY_WEBHOOK_TOKEN: "pushinpay-webhook-0123456789",
  GENERIC_WEBHOOK_SECRET: "generic-secret-0123456789",
};

interface OfferInput {
  readonly provider: string;
  readonly priceMinor: number;
  readonly currency: string;
  readonly delivery?: string;
}

/** How a webhook that the sandbox sent was answered. */
interface Delivery {
  readonly status: number | null;
  readonly retry_after: string | null;
  readonly body: string;
}

/**
 * A bot that sells, over a fresh database, with the payments plugin and the sandbox's payment providers listening on
 * loopback. One clock for all of it, which `pass` moves on.
 */
export async function openShop() {
  const own = await createTestDatabase();
  const { db } = own;
  const { tables } = db;
  let aheadMs = 0;
  const now = () => new Date(Date.now() + aheadMs);
  const sandbox = await startSandbox({ now: () => now().getTime() });
  const config = readConfig({
    ...SECRETS,
    STRIPE_API_URL: sandbox.url,
    MERCADOPAGO_API_URL: sandbox.url,
    PUSHINPAY_API_URL: sandbox.url,
  });
  const logLines: string[] = [];
  const deps = {
    db,
    log: createLog("debug", { write: (line: string) => void logLines.push(line) }),
    now,
    consentDenied: config.consentDenied,
    starsUsdMinorPerThousand: config.payments.starsUsdMinorPerThousand,
    trackingData: async () => null,
    providers: configuredProviders(config.payments, now),
    authorize: async () => null,
  };
  const app = new Elysia().use(paymentsPlugin(deps)).listen({ port: 0, hostname: "127.0.0.1" });
  const url = app.server?.url.origin ?? "";
  const checkoutDeps = { ...deps, publicUrl: url };

  const shop = await addPool(db, { slug: "shop", metaPixelId: PIXEL });
  const botId = shop.bots[0]?.id ?? 0;
  const visit = visitsOf(shop)("fbclid=AbCd&utm_campaign=summer");
  const token = visit.trackingToken;
  await db.transaction((tx) => recordVisits(tx, tables, [visit]));
  let people = 776;

  const call = (path: string, body: object) => askSandbox(sandbox, "POST", path, body);
  await call("/providers/endpoints", {
    provider: "stripe",
    url: `${url}/api/payments/webhooks/stripe`,
    secret: SECRETS.STRIPE_WEBHOOK_SECRET,
  });
  await call("/providers/endpoints", { provider: "mercadopago", secret: SECRETS.MERCADOPAGO_WEBHOOK_SECRET });
  await call("/providers/endpoints", { provider: "pushinpay", secret: SECRETS.PUSHINPAY_WEBHOOK_TOKEN });

  return {
    db,
    deps,
    checkoutDeps,
    url,
    sandbox,
    token,
    botId,
    logLines,
    pass(ms: number) {
      aheadMs += ms;
    },
    /** A new person with a new offer, so that no two tests share a sale. */
    async customer(offer: OfferInput) {
      people += 1;
      return db.transaction(async (tx) => {
        const person = { telegramUserId: String(people) };
        const user = await saveBotUser(tx, tables, { botId, person, trackingToken: token }, now());
        const [created] = await tx
          .insert(tables.offers)
          .values({
            botId,
            name: "Curso de mágica",
            description: "…",
            delivery: "https://example.com/course",
            createdAt: now(),
            updatedAt: now(),
            ...offer,
          })
          .returning();
        return { botId, botUserId: user.id, offerId: created?.id ?? 0, trackingToken: token };
      });
    },
    /** A payment is registered, and the provider not asked yet. */
    async begin(offer: OfferInput): Promise<string> {
      const customer = await this.customer(offer);
      const sale = { ...customer, deduplicate: crypto.randomUUID() };
      return (await db.transaction((tx) => beginCheckout(deps, tx, sale))).paymentId;
    },
    /** Everything up to the checkout in the buyer's hands. */
    async sell(offer: OfferInput) {
      const paymentId = await this.begin(offer);
      return { paymentId, checkout: await checkoutOf(checkoutDeps, paymentId) };
    },
    /** Something happens at a stood-in provider, which sends its webhook `times` times at once. */
    async happens(provider: string, charge: string, event: string, order: object = {}): Promise<Delivery[]> {
      return (await call("/providers/events", { provider, charge, event, ...order })).deliveries;
    },
    breakDown: (provider: string, mode: string, times = 1, more: object = {}) =>
      addFault(sandbox, "providers", { provider, mode, times, ...more }),
    repair: () => clearFaults(sandbox, "providers"),
    /** What was charged at the stood-in providers, in order. */
    charges: () => askSandbox(sandbox, "GET", "/providers/charges"),
    async stored(paymentId: string) {
      const [payment] = await db.select().from(tables.payments).where(eq(tables.payments.id, paymentId));
      const events = await db
        .select()
        .from(tables.outbox)
        .where(eq(tables.outbox.paymentId, paymentId))
        .orderBy(tables.outbox.id);
      const states = await db
        .select()
        .from(tables.funnelStates)
        .where(eq(tables.funnelStates.paymentId, paymentId))
        .orderBy(tables.funnelStates.id);
      const notes = await db
        .select()
        .from(tables.auditLog)
        .where(eq(tables.auditLog.subject, `payment:${paymentId}`));
      return {
        payment,
        events,
        eventNames: events.map(({ eventName }) => eventName),
        states: states.map(({ state }) => state),
        notes: notes.length,
      };
    },
    async dispose() {
      await app.stop(true);
      await sandbox.stop();
      await own.dispose();
    },
  };
}

export type Shop = Awaited<ReturnType<typeof openShop>>;

/** The `status` of each JSON answer. */
export function outcomes(deliveries: readonly Delivery[]): string[] {
  return deliveries.map(({ body }) => JSON.parse(body).status);
}
