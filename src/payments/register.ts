import { and, eq } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { permittedEvent } from "../meta/consent.ts";
import { initiateCheckoutEvent } from "../meta/step-event.ts";
import { hashedCustomer, storedCustomerId } from "../meta/user-data.ts";
import { enqueue, metaRoute } from "../outbox/enqueue.ts";
import { newId } from "../platform/ids.ts";
import { findPoolOf, reportingPixel } from "../pools/find-pool-of.ts";
import { findBot, saveBotUser } from "../tracking/bot-users.ts";
import { findBotUser, findSessionOf } from "../tracking/find-session.ts";
import { recordFunnelState } from "../tracking/funnel-states.ts";
import { sessionFacts } from "../tracking/session.ts";
import type { Payment, PaymentDeps } from "./payment.ts";
import type { RegisterInput } from "./payment-input.ts";
import { paymentFacts, sellingBot } from "./purchase-facts.ts";

/** What else is known of a payment that starts inside the bot. */
export interface BotSale {
  /** Made beforehand where the provider is to know the payment by its own id. */
  readonly paymentId?: string;
  readonly botId: number;
  readonly botUserId: number;
  readonly offerId: number;
  readonly providerData?: Readonly<Record<string, unknown>>;
}

export type Registered =
  | { readonly kind: "created" | "existing"; readonly payment: Payment }
  /** The reference is taken by a payment of another amount or currency. */
  | { readonly kind: "conflict"; readonly payment: Payment };

/** Registers a pending payment, once for each provider reference. */
export function registerPayment(
  deps: PaymentDeps,
  input: RegisterInput,
  sale: BotSale | null = null,
): Promise<Registered> {
  return deps.db.transaction((tx) => registerInside(deps, tx, input, sale));
}

/** The same inside a transaction that goes on, such as a webhook which creates and confirms at once. */
export async function registerInside(
  deps: PaymentDeps,
  tx: Tx,
  input: RegisterInput,
  sale: BotSale | null,
): Promise<Registered> {
  const { tables } = deps.db;
  const now = deps.now();
  const bot = input.bot === undefined ? null : await findBot(tx, tables, input.bot);
  const botUser = sale
    ? await findBotUser(tx, tables, sale.botUserId)
    : await buyerOf(tx, tables, bot?.id ?? null, input, now);
  const session = await findSessionOf(tx, tables, {
    trackingToken: input.tracking_token ?? null,
    botUser,
  });
  const botId = sale?.botId ?? bot?.id ?? session?.botId ?? null;
  const pool = await findPoolOf(tx, tables, { poolId: session?.poolId ?? null, botId });
  const { id: customerUserId, email, phone, first_name, last_name } = input.customer ?? {};
  const payment = {
    id: sale?.paymentId ?? newId(),
    provider: input.provider,
    providerRef: input.provider_ref,
    status: "pending" as const,
    amountMinor: input.amount_minor,
    currency: input.currency,
    poolId: pool?.id ?? null,
    botId,
    botUserId: botUser?.id ?? null,
    offerId: sale?.offerId ?? null,
    trackingToken: input.tracking_token ?? session?.trackingToken ?? null,
    customerUserId: customerUserId === undefined ? null : storedCustomerId(customerUserId),
    // Hashed on arrival: what somebody's e-mail is, the database never knows.
    customer: { ...hashedCustomer({ email, phone, firstName: first_name, lastName: last_name }) },
    content: contentOf(input),
    providerData: sale?.providerData ?? null,
    paidAt: null,
    refundedAt: null,
    erasedAt: null,
    metaPurchaseSent: false,
    metaPurchaseSentAt: null,
    createdAt: input.created_at ? earlier(new Date(input.created_at), now) : now,
    updatedAt: now,
  };
  const [isNew] = await tx.insertMany(tables.payments, "id", [payment]);
  if (!isNew) return existing(await findByReference(deps.db, tx, input.provider, input.provider_ref), input);

  await recordFunnelState(
    tx,
    tables,
    {
      state: "checkout_started",
      of: payment.id,
      poolId: payment.poolId,
      botId,
      botUserId: payment.botUserId,
      trackingToken: payment.trackingToken,
      offerId: payment.offerId,
      paymentId: payment.id,
    },
    now,
  );
  const pixelId = reportingPixel(pool);
  if (pool?.sendInitiateCheckout && pixelId) {
    const seller = await sellingBot(deps, tx, payment, botUser);
    const event = initiateCheckoutEvent(paymentFacts(payment), session && sessionFacts(session), seller, now);
    const payload = permittedEvent(event, session?.consent ?? null, deps.consentDenied ?? "drop");
    if (payload !== null) {
      await enqueue(tx, tables, [
        {
          destination: "meta",
          route: metaRoute(pixelId, pool.metaTestEventCode),
          eventName: "InitiateCheckout",
          eventId: `checkout_${payment.id}`,
          payload,
          poolId: pool.id,
          trackingToken: payment.trackingToken,
          paymentId: payment.id,
          botUserId: payment.botUserId,
        },
      ]);
    }
  }
  return { kind: "created", payment };
}

/** The payment of a provider reference, locked until the transaction ends. */
export async function findByReference(
  db: Database,
  tx: Tx,
  provider: string,
  providerRef: string,
): Promise<Payment | undefined> {
  const { payments } = db.tables;
  const [payment] = await db.dialect.locked(
    tx
      .select()
      .from(payments)
      .where(and(eq(payments.provider, provider), eq(payments.providerRef, providerRef))),
  );
  return payment;
}

function existing(payment: Payment | undefined, input: RegisterInput): Registered {
  if (!payment) throw new Error(`payment ${input.provider} ${input.provider_ref} is neither new nor there`);
  const same = payment.amountMinor === input.amount_minor && payment.currency === input.currency;
  return { kind: same ? "existing" : "conflict", payment };
}

/** The person who buys, where the operator's own bot says who it is; made where this is the first we hear of them. */
async function buyerOf(tx: Tx, tables: Tables, botId: number | null, input: RegisterInput, now: Date) {
  if (botId === null || input.telegram_user_id === undefined) return null;
  const person = { telegramUserId: input.telegram_user_id };
  return saveBotUser(tx, tables, botId, person, input.tracking_token ?? null, now);
}

function contentOf({ content }: RegisterInput): Payment["content"] {
  if (!content) return null;
  const { ids, name, type } = content;
  return { ...(ids && { ids }), ...(name && { name }), ...(type && { type }) };
}

/** A payment is never younger than now: Meta takes no event of the future. */
function earlier(a: Date, b: Date): Date {
  return a < b ? a : b;
}
