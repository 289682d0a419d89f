import type { Tx } from "../db/database.ts";
import { initiateCheckoutEvent } from "../meta/step-event.ts";
import { enqueue } from "../outbox/enqueue.ts";
import { newId } from "../platform/ids.ts";
import { paymentStep, recordFunnelState } from "../tracking/funnel-states.ts";
import type { StoredVisit } from "../tracking/tracking-store.ts";
import { buyersTransaction, ErasedMeanwhile } from "./erased-meanwhile.ts";
import { fillPayment } from "./fill-payment.ts";
import { findByReference, lockByReference, type Reference } from "./find-payment.ts";
import { metaEntry } from "./meta-entry.ts";
import type { Payment, PaymentDeps } from "./payment.ts";
import type { RegisterInput } from "./payment-input.ts";
import { registeredMoney } from "./provider-data.ts";
import { ownerFromDetails, type RedisCopyDeps, redisCopyOf } from "./redis-copy.ts";
import { catchUp, reportIfVisitCame } from "./report-purchase.ts";
import { type Belongings, type WhoPays, whoPays } from "./who-pays.ts";

/** What else is known of a payment that starts inside the bot. */
interface BotSale {
  /** Made beforehand where the provider is to know the payment by its own id. */
  readonly paymentId?: string;
  readonly botId: number;
  readonly botUserId: number;
  readonly offerId: number;
  readonly providerData?: Readonly<Record<string, unknown>>;
}

/** What a payment is registered by. */
interface Registration {
  readonly input: RegisterInput;
  /** Null where it was begun outside of our bots. */
  readonly sale: BotSale | null;
  /** The visit as Redis knows it, for a token that the database does not have. */
  readonly redisCopy: StoredVisit | null;
}

type Registered =
  | { readonly kind: "created" | "existing"; readonly payment: Payment }
  /** The reference is taken by a payment of another amount or currency. */
  | { readonly kind: "conflict"; readonly payment: Payment }
  | { readonly kind: "unknown_bot" };

/** Registers a pending payment, once for each provider reference. */
export async function registerPayment(
  deps: PaymentDeps & RedisCopyDeps,
  input: RegisterInput,
): Promise<Registered> {
  const redisCopy = await redisCopyOf(deps, await ownerFromDetails(deps, input));
  const registered = await buyersTransaction(deps.db, (tx) =>
    registerInside(deps, tx, { input, sale: null, redisCopy }),
  );
  if (registered.kind === "existing") await reportIfVisitCame(deps, registered.payment.id);
  return registered;
}

/**
 * The same inside a transaction that goes on, such as a webhook which creates and confirms at once.
 * @throws ErasedMeanwhile
 */
export async function registerInside(
  deps: PaymentDeps,
  tx: Tx,
  registration: Registration,
): Promise<Registered> {
  const { input, sale, redisCopy } = registration;
  // Of whoever was erased nothing is written again: not the person whom the repetition names, either.
  const seen = await findByReference(tx, deps.db, referenceOf(input));
  if (seen && seen.erasedAt !== null) return compared(seen, input);
  const payer = await whoPays(deps, tx, { said: input, seller: sale, redisCopy });
  if (payer === null) {
    const known = await lockByReference(tx, deps.db, referenceOf(input));
    return known ? compared(known, input) : { kind: "unknown_bot" };
  }
  const payment = pendingPayment(input, sale, payer.belongings, deps.now());
  const [isNew] = await tx.insertMany(deps.db.tables.payments, ["provider", "providerRef"], [payment]);
  if (!isNew) return registerAgain(deps, tx, registration, payer.belongings);
  await recordCheckout(deps, tx, payment, payer);
  return { kind: "created", payment };
}

/** The row of a payment that nobody has made yet. */
function pendingPayment(
  input: RegisterInput,
  sale: BotSale | null,
  belongings: Belongings,
  now: Date,
): Payment {
  return {
    id: sale?.paymentId ?? newId(),
    ...referenceOf(input),
    status: "pending",
    amountMinor: input.amount_minor,
    currency: input.currency,
    ...belongings,
    offerId: sale?.offerId ?? null,
    providerData: sale?.providerData ?? null,
    paidAt: null,
    refundedAt: null,
    erasedAt: null,
    metaPurchaseSent: false,
    metaPurchaseSentAt: null,
    createdAt: input.created_at ? earlier(new Date(input.created_at), now) : now,
    updatedAt: now,
  };
}

/** That somebody is about to pay: the funnel's step, and an InitiateCheckout where the pool wants one. */
async function recordCheckout(
  deps: PaymentDeps,
  tx: Tx,
  payment: Payment,
  { visit, pool }: WhoPays,
): Promise<void> {
  const { tables } = deps.db;
  await recordFunnelState(tx, tables, paymentStep("checkout_started", payment), payment.updatedAt);
  if (!pool?.sendInitiateCheckout) return;
  const entry = await metaEntry(deps, tx, initiateCheckoutEvent, { payment, visit, pool });
  if (entry) await enqueue(tx, tables, [entry]);
}

/** What the payment did not know it learns now; and where it was confirmed without that, it is reported at last. */
async function registerAgain(
  deps: PaymentDeps,
  tx: Tx,
  { input, redisCopy }: Registration,
  belongings: Belongings,
): Promise<Registered> {
  const known = await lockByReference(tx, deps.db, referenceOf(input));
  if (!known) throw new Error(`payment ${input.provider} ${input.provider_ref} is neither new nor there`);
  // By now the person that the repetition names is written again.
  if (known.erasedAt !== null) throw new ErasedMeanwhile();
  const registered = compared(known, input);
  if (registered.kind !== "existing") return registered;
  const payment = await fillPayment(deps, tx, known, belongings);
  await catchUp(deps, tx, payment, redisCopy);
  return { kind: "existing", payment };
}

function referenceOf({ provider, provider_ref }: RegisterInput): Reference {
  return { provider, providerRef: provider_ref };
}

function compared(payment: Payment, input: RegisterInput): Registered {
  const { amountMinor, currency } = registeredMoney(payment);
  const same = amountMinor === input.amount_minor && currency === input.currency;
  return { kind: same ? "existing" : "conflict", payment };
}

/** A payment is never younger than now: Meta takes no event of the future. */
function earlier(a: Date, b: Date): Date {
  return a < b ? a : b;
}
