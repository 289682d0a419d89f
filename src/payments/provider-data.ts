import { z } from "zod";
import type { Consent } from "../platform/consent.ts";
import type { Payment } from "./payment.ts";

const moneySchema = z.object({ amount_minor: z.int(), currency: z.string() });

/** The charge that the payment was confirmed by, in the provider's words; null before that, or where it names none. */
export function chargeOf({ providerData }: Pick<Payment, "providerData">): string | null {
  const charge = providerData?.charge;
  return typeof charge === "string" ? charge : null;
}

/** The charges that went back before the payment was confirmed, in the provider's words. */
export function returnedCharges({ providerData }: Pick<Payment, "providerData">): readonly string[] {
  const charges = providerData?.returned;
  return Array.isArray(charges) ? charges.filter((charge) => typeof charge === "string") : [];
}

/** What the payment was registered with; once it is paid, its row has what was paid. */
export function registeredMoney(payment: Payment): {
  readonly amountMinor: number;
  readonly currency: string;
} {
  const parsed = moneySchema.safeParse(payment.providerData?.registered);
  return parsed.success ? { amountMinor: parsed.data.amount_minor, currency: parsed.data.currency } : payment;
}

/** What keeps a payment from Meta: its buyer denied consent, or was erased. */
export type Refusal = Exclude<Consent, "granted">;

/** Whether it keeps a payment from Meta. */
export function isRefusal(consent: unknown): consent is Refusal {
  return consent === "denied" || consent === "erased";
}

/**
 * What is kept of a confirmation besides what it paid: its charge, what was asked for where that differs, and that its
 * buyer is not to be reported; null where that is nothing.
 */
export function confirmedData(
  payment: Payment,
  paid: { readonly amountMinor: number; readonly currency: string; readonly chargeId: string | null },
  consent: Consent | null,
): Payment["providerData"] {
  const { amountMinor, currency, chargeId } = paid;
  const differs = amountMinor !== payment.amountMinor || currency !== payment.currency;
  const registered = { amount_minor: payment.amountMinor, currency: payment.currency };
  const kept = {
    ...payment.providerData,
    ...(chargeId !== null && { charge: chargeId }),
    ...(differs && { registered }),
    ...(isRefusal(consent) && { consent }),
  };
  return Object.keys(kept).length === 0 ? null : kept;
}

/** What kept it from Meta when it was paid, or looked at since: a later visit that says nothing of it takes nothing back. */
export function keptRefusal({ providerData }: Pick<Payment, "providerData">): Refusal | null {
  const consent = providerData?.consent;
  return isRefusal(consent) ? consent : null;
}
