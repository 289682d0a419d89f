import type { PaymentStatus } from "../db/vocabulary.ts";
import type { Customer } from "../meta/user-data.ts";

/** What a provider says happened to a payment. Amounts are whole minor units of the currency. */
export type PaymentEvent =
  | {
      readonly kind: "paid";
      readonly amountMinor?: number | undefined;
      readonly currency?: string | undefined;
      /** Who paid, as the provider knows them; hashed before it is stored. */
      readonly buyer?: Customer | undefined;
      /** What a person should know besides, such as a partial refund. */
      readonly note?: string | undefined;
      /** The provider's own id of the money that moved: a payment may be paid twice. */
      readonly chargeId?: string | undefined;
    }
  | {
      readonly kind: "refunded";
      /** What went back, where it is said; less than was paid is a part. */
      readonly amountMinor?: number | undefined;
      readonly currency?: string | undefined;
      readonly chargeId?: string | undefined;
    }
  | { readonly kind: "chargeback"; readonly chargeId?: string | undefined }
  | { readonly kind: "expired" }
  /** Changes nothing, and a person should know: a partial refund, a dispute that was won. */
  | { readonly kind: "noted"; readonly note: string };

export interface PaymentState {
  readonly status: PaymentStatus;
  readonly amountMinor: number;
  readonly currency: string;
  /** The charge that it was confirmed by; null where it was not, or its provider names none. */
  readonly chargeId: string | null;
  /** Charges that went back before the payment was confirmed. */
  readonly returned: readonly string[];
}

/** What an event does to a payment. */
export type Decision =
  /** Money arrived for the first time: report it, and deliver unless it was too little. */
  | {
      readonly kind: "confirm";
      readonly amountMinor: number;
      readonly currency: string;
      readonly deliver: boolean;
      readonly buyer: Customer | null;
      readonly chargeId: string | null;
      readonly note: string | null;
    }
  /** `note` where a person should know. */
  | {
      readonly kind: "move";
      readonly to: "refunded" | "chargeback" | "expired";
      readonly note: string | null;
    }
  /** Nothing changes; `note` where a person should know. */
  | { readonly kind: "nothing"; readonly note: string | null };

const NOTHING: Decision = { kind: "nothing", note: null };

/**
 * The life of a payment, for every state and every event, in any order and however often:
 *
 * | is         | paid     | refunded  | chargeback | expired |
 * | ---------- | -------- | --------- | ---------- | ------- |
 * | pending    | confirm  | refunded  | chargeback | expired |
 * | expired    | confirm  | refunded  | chargeback | –       |
 * | paid       | –        | refunded  | chargeback | –       |
 * | refunded   | – (note) | –         | chargeback | –       |
 * | chargeback | – (note) | –         | –          | –       |
 *
 * Copies of what was counted leave no note. `noted` changes no state and leaves its note. Of two charges the first
 * counts: that of the second, and its giving back, are noted; where one went back before any was confirmed, another that
 * is paid is the first. A payment is confirmed once. A confirmation that comes after the money went back reports nothing.
 * A second confirmation with another amount, and a refund of a part, change nothing and are noted; a refund of more, or in
 * another currency, is of the whole and noted. A first confirmation that differs from what was registered is reported as
 * what was paid; less money than asked for, or another currency, delivers nothing.
 */
export function decide(payment: PaymentState, event: PaymentEvent): Decision {
  const note = noteOfOtherCharge(payment, event);
  if (note !== null) return { kind: "nothing", note };
  switch (event.kind) {
    case "paid":
      return decidePaid(payment, event);
    case "refunded":
      return decideRefunded(payment, event);
    case "chargeback":
      return payment.status === "chargeback" ? NOTHING : { kind: "move", to: "chargeback", note: null };
    case "expired":
      return payment.status === "pending" ? { kind: "move", to: "expired", note: null } : NOTHING;
    case "noted":
      return { kind: "nothing", note: event.note };
  }
}

/** What is to be said of an event of another charge than the one that the payment was confirmed by; null for its own. */
function noteOfOtherCharge({ chargeId: first }: PaymentState, event: PaymentEvent): string | null {
  if (event.kind === "expired" || event.kind === "noted") return null;
  const { kind, chargeId } = event;
  if (first === null || chargeId === undefined || chargeId === first) return null;
  switch (kind) {
    case "paid": {
      const money = event.amountMinor === undefined ? "" : `: ${event.amountMinor} ${event.currency ?? ""}`;
      return `paid twice${money.trimEnd()} by charge ${chargeId} after ${first}`;
    }
    case "refunded":
      return `charge ${chargeId} was refunded; ${first} stays paid`;
    case "chargeback":
      return `charge ${chargeId} was charged back; ${first} stays paid`;
  }
}

function decidePaid(payment: PaymentState, event: Extract<PaymentEvent, { kind: "paid" }>): Decision {
  const amountMinor = event.amountMinor ?? payment.amountMinor;
  const currency = event.currency ?? payment.currency;
  const asKnown = amountMinor === payment.amountMinor && currency === payment.currency;
  const isItsCharge = event.chargeId === payment.chargeId;
  const paid = `${amountMinor} ${currency}`;
  const known = `${payment.amountMinor} ${payment.currency}`;
  const confirmed: Decision = {
    kind: "confirm",
    amountMinor,
    currency,
    buyer: event.buyer ?? null,
    chargeId: event.chargeId ?? null,
    deliver: currency === payment.currency && amountMinor >= payment.amountMinor,
    note: joined(asKnown ? null : `paid ${paid}, registered ${known}`, event.note),
  };
  switch (payment.status) {
    case "pending":
    case "expired":
      return confirmed;
    case "paid":
      return {
        kind: "nothing",
        note: joined(
          // By now the payment's own amount is what was paid first.
          asKnown ? null : `confirmed again with another amount: ${paid} after ${known}`,
          event.note,
        ),
      };
    case "refunded":
    case "chargeback":
      if (isOtherThanReturned(payment, event.chargeId)) return confirmed;
      return {
        kind: "nothing",
        // Of the charge that it was confirmed by before, this is a copy that came late.
        note: joined(isItsCharge ? null : `confirmed after it ended as ${payment.status}`, event.note),
      };
  }
}

function decideRefunded(
  { status, ...paid }: PaymentState,
  { amountMinor = paid.amountMinor, currency = paid.currency }: Extract<PaymentEvent, { kind: "refunded" }>,
): Decision {
  if (status === "refunded" || status === "chargeback") return NOTHING;
  const isSame = currency === paid.currency;
  if (isSame && amountMinor < paid.amountMinor) {
    return { kind: "nothing", note: `refunded in part: ${amountMinor} ${currency}` };
  }
  const isWhole = isSame && amountMinor === paid.amountMinor;
  const note = isWhole ? null : `refunded ${amountMinor} ${currency} of ${paid.amountMinor} ${paid.currency}`;
  return { kind: "move", to: "refunded", note };
}

/** Whether it is another charge than what went back, and that before any money was counted. */
function isOtherThanReturned(
  { chargeId: first, returned }: PaymentState,
  chargeId: string | undefined,
): boolean {
  return first === null && returned.length > 0 && chargeId !== undefined && !returned.includes(chargeId);
}

function joined(...notes: readonly (string | null | undefined)[]): string | null {
  return notes.filter(Boolean).join("; ") || null;
}
