import { z } from "zod";
import { fromStripeAmount } from "../../offers/stripe-amount.ts";
import type { PaymentEvent } from "../decide.ts";

// What is called a charge here is a payment intent: sessions, refunds and disputes all name it.

/** The metadata key under which our reference rides through Stripe: session, payment intent, charge. */
export const REFERENCE_KEY = "reference";

const id = z.string().min(1).max(255);
const metadata = z.record(z.string(), z.string()).nullish();
const amount = z.int().nonnegative();

const eventSchema = z.looseObject({ type: z.string(), data: z.looseObject({ object: z.unknown() }) });

const sessionSchema = z.looseObject({
  id,
  client_reference_id: z.string().nullish(),
  metadata,
  payment_status: z.string(),
  payment_intent: id.nullish(),
  amount_total: amount.nullish(),
  currency: z.string().nullish(),
  customer_details: z
    .looseObject({
      email: z.string().nullish(),
      phone: z.string().nullish(),
      name: z.string().nullish(),
    })
    .nullish(),
});
type Session = z.output<typeof sessionSchema>;

const chargeSchema = z.looseObject({
  id,
  payment_intent: id.nullish(),
  metadata,
  refunded: z.boolean(),
  amount_refunded: amount,
  currency: z.string(),
});

const disputeSchema = z.looseObject({ id, status: z.string(), payment_intent: id.nullish() });

/** What one of Stripe's events means. */
type StripeReading =
  | { readonly kind: "malformed"; readonly reason: string }
  | { readonly kind: "ignored" }
  | {
      readonly kind: "event";
      readonly providerRef: string;
      readonly event: PaymentEvent;
      /** A session that carries no reference of ours is known by its own id. */
      readonly isProvidersId?: boolean;
    }
  /** A dispute names a payment intent only; its metadata must be asked for. */
  | { readonly kind: "dispute"; readonly paymentIntent: string; readonly event: PaymentEvent };

/**
 * Reads the body of a webhook that Stripe signed. Source: Stripe's API reference, "Types of events", and "Fulfill
 * orders" for which of them means that money is there. Every kind that is none of ours is ignored.
 */
export function readStripeEvent(body: unknown): StripeReading {
  const parsed = eventSchema.safeParse(body);
  if (!parsed.success) return malformed("this is no event of Stripe's API");
  const { type, data } = parsed.data;
  switch (type) {
    case "checkout.session.completed":
    case "checkout.session.async_payment_succeeded":
    case "checkout.session.async_payment_failed":
    case "checkout.session.expired": {
      const session = sessionSchema.safeParse(data.object);
      return session.success
        ? readSession(type, session.data)
        : malformed(`${type} without a checkout session`);
    }
    case "charge.refunded": {
      const charge = chargeSchema.safeParse(data.object);
      return charge.success ? readRefund(charge.data) : malformed(`${type} without a charge`);
    }
    case "charge.dispute.created":
    case "charge.dispute.closed": {
      const dispute = disputeSchema.safeParse(data.object);
      return dispute.success ? readDispute(type, dispute.data) : malformed(`${type} without a dispute`);
    }
    default:
      return { kind: "ignored" };
  }
}

function readSession(type: string, session: Session): StripeReading {
  const reference = session.client_reference_id || session.metadata?.[REFERENCE_KEY] || null;
  const providerRef = reference ?? session.id;
  const about = { kind: "event" as const, providerRef, ...(reference === null && { isProvidersId: true }) };
  // "expired" also covers a failed delayed payment: nothing more comes of it.
  const isOver = type === "checkout.session.expired" || type === "checkout.session.async_payment_failed";
  if (isOver) return { ...about, event: { kind: "expired" } };
  // Boleto, Pix and bank debits complete as "unpaid" and succeed later.
  if (session.payment_status !== "paid") return { kind: "ignored" };
  const currency = session.currency?.toUpperCase() ?? "";
  const amountMinor = fromStripeAmount(session.amount_total ?? -1, currency);
  if (amountMinor === null || amountMinor === 0) {
    return malformed(`the amount ${session.amount_total} ${currency} cannot be right`);
  }
  const { email, phone, name } = session.customer_details ?? {};
  const [firstName, ...lastNames] = name?.trim().split(/\s+/) ?? [];
  const buyer = { email, phone, firstName, lastName: lastNames.join(" ") };
  const chargeId = session.payment_intent ?? undefined;
  return { ...about, event: { kind: "paid", amountMinor, currency, buyer, chargeId } };
}

function readRefund(charge: z.output<typeof chargeSchema>): StripeReading {
  const providerRef = charge.metadata?.[REFERENCE_KEY];
  if (!providerRef) return { kind: "ignored" };
  if (charge.refunded) {
    const chargeId = charge.payment_intent ?? undefined;
    return { kind: "event", providerRef, event: { kind: "refunded", chargeId } };
  }
  const part = `${charge.amount_refunded} ${charge.currency.toUpperCase()}`;
  return {
    kind: "event",
    providerRef,
    event: { kind: "noted", note: `refunded in part: ${part} in Stripe's units, charge ${charge.id}` },
  };
}

/** An inquiry (`warning_…`) moves no money; a dispute takes it away at once, and winning brings it back. */
function readDispute(type: string, dispute: z.output<typeof disputeSchema>): StripeReading {
  const { id, status, payment_intent: paymentIntent } = dispute;
  if (!paymentIntent) return { kind: "ignored" };
  const noted = (note: string): StripeReading => ({
    kind: "dispute",
    paymentIntent,
    event: { kind: "noted", note },
  });
  if (status.startsWith("warning_")) return noted(`Stripe's inquiry ${id}: ${status}`);
  if (type === "charge.dispute.closed" && status !== "lost") return noted(`dispute ${id} closed: ${status}`);
  return { kind: "dispute", paymentIntent, event: { kind: "chargeback", chargeId: paymentIntent } };
}

function malformed(reason: string): StripeReading {
  return { kind: "malformed", reason };
}
