import type { FunnelState, OutboxStatus } from "../db/vocabulary.ts";
import { paymentNotes } from "./payment-notes.ts";
import type { VisitorRows } from "./timeline-view.ts";

/** Something that happened to a visitor. */
type StepKind =
  /** The ad's link was opened. */
  | "click"
  /** The gate let the visitor in; whom it refuses has no timeline, and is counted only. */
  | "gate"
  /** The browser reported Meta's cookies. */
  | "cookies"
  /** A payment was registered at its provider. */
  | "payment"
  /** An event or message went out, or still waits, or never will: `status` says which. */
  | "event"
  | FunnelState;

export interface Step {
  readonly kind: StepKind;
  readonly at: string;
  /** Milliseconds since the step before; null at the first. */
  readonly after_ms: number | null;
  /** For an event: its name and where it goes. */
  readonly event_name: string | null;
  readonly event_id: string | null;
  readonly status: OutboxStatus | null;
  readonly outbox_id: number | null;
  readonly payment_id: string | null;
  /** When an event was written down; `at` is when it was delivered, where it was. */
  readonly written_at: string | null;
  /**
   * The pool and what the link carried, which cookies came, a payment's provider and notes, the offer's name, the bot,
   * or an event's last error.
   */
  readonly detail: string | null;
}

type Happening = Partial<Omit<Step, "at" | "after_ms">> & { readonly kind: StepKind; readonly at: Date };

/** What happened, in order, with the time between. */
export function timelineSteps(rows: VisitorRows): Step[] {
  const happenings = [
    ...clickHappenings(rows),
    ...rows.payments.map(
      (payment): Happening => ({
        kind: "payment",
        at: payment.createdAt,
        payment_id: payment.id,
        detail: [payment.provider, ...paymentNotes(payment)].join("; "),
      }),
    ),
    ...stateHappenings(rows),
    ...rows.outbox.map(
      (row): Happening => ({
        kind: "event",
        at: row.deliveredAt ?? row.createdAt,
        event_name: row.eventName,
        event_id: row.eventId,
        status: row.status,
        outbox_id: row.id,
        written_at: row.createdAt.toISOString(),
        detail: row.lastError,
      }),
    ),
  ];
  // A stable sort: what happened in the same millisecond stays in the order in which it usually does.
  const sorted = happenings.sort((a, b) => a.at.getTime() - b.at.getTime());
  return sorted.map((happening, i) => {
    const before = sorted[i - 1];
    return {
      kind: happening.kind,
      at: happening.at.toISOString(),
      after_ms: before === undefined ? null : happening.at.getTime() - before.at.getTime(),
      event_name: happening.event_name ?? null,
      event_id: happening.event_id ?? null,
      status: happening.status ?? null,
      outbox_id: happening.outbox_id ?? null,
      payment_id: happening.payment_id ?? null,
      written_at: happening.written_at ?? null,
      detail: happening.detail ?? null,
    };
  });
}

function clickHappenings({ session, pool }: VisitorRows): Happening[] {
  if (session === null) return [];
  const { pageviewTs: at, cookiesAt, fbclid, utmCampaign, grim } = session;
  const carried = [
    pool?.slug ?? "a pool that is gone",
    fbclid === null ? "no fbclid" : "with an fbclid",
    utmCampaign === null ? "no campaign" : `campaign ${utmCampaign}`,
  ];
  return [
    { kind: "click", at, detail: carried.join(", ") },
    { kind: "gate", at, detail: grim === null ? "let in" : "let in; the link had the parameter grim" },
    ...(cookiesAt === null
      ? []
      : [{ kind: "cookies" as const, at: cookiesAt, detail: cookiesText(session) }]),
  ];
}

/** What the browser's report left known; a generated fbc is ours, not the browser's. */
function cookiesText({ fbp, fbc, fbcOrigin, fbi }: NonNullable<VisitorRows["session"]>): string {
  const came = [
    fbp !== null && "_fbp",
    fbc !== null && fbcOrigin === "cookie" && "_fbc",
    fbi !== null && "_fbi",
  ].filter((name) => name !== false);
  return came.length > 0 ? came.join(", ") : "none that can be used";
}

/** The funnel's rows, and what only a payment's own row says: one confirmed before the funnel knew of it. */
function stateHappenings({ states, payments, offers, bots }: VisitorRows): Happening[] {
  const fromFunnel = states.map((state): Happening => {
    const offer = offers.find(({ id }) => id === state.offerId)?.name;
    const bot = bots.find(({ id }) => id === state.botId)?.username;
    return {
      kind: state.state,
      at: state.createdAt,
      payment_id: state.paymentId,
      detail: offer ?? (bot === undefined ? null : `@${bot}`),
    };
  });
  const isKnown = (kind: StepKind, paymentId: string) =>
    fromFunnel.some((step) => step.kind === kind && step.payment_id === paymentId);
  const fromPayments = payments.flatMap((payment): Happening[] => [
    ...(payment.paidAt !== null && !isKnown("paid", payment.id)
      ? [{ kind: "paid" as const, at: payment.paidAt, payment_id: payment.id }]
      : []),
    ...(payment.refundedAt !== null && !isKnown("refunded", payment.id)
      ? [{ kind: "refunded" as const, at: payment.refundedAt, payment_id: payment.id }]
      : []),
  ]);
  return [...fromFunnel, ...fromPayments];
}
