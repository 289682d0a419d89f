import type { Tables } from "../db/define-schema.ts";
import { paymentNotes } from "./payment-notes.ts";
import type { Session } from "./session.ts";

type Row<K extends keyof Tables> = Tables[K]["$inferSelect"];

/** What the timeline shows of an outbox row; its payload and attempts are one request away. */
type OutboxSummary = Pick<
  Row<"outbox">,
  | "id"
  | "destination"
  | "route"
  | "eventName"
  | "eventId"
  | "status"
  | "attempts"
  | "lastError"
  | "fbtraceId"
  | "createdAt"
  | "deliveredAt"
>;

/** The rows that one visitor left, as they lie in the database. */
export interface VisitorRows {
  readonly trackingToken: string | null;
  readonly session: Session | null;
  readonly pool: { readonly id: number; readonly slug: string; readonly name: string } | null;
  readonly bots: readonly { readonly id: number; readonly username: string }[];
  readonly people: readonly Row<"botUsers">[];
  readonly states: readonly Row<"funnelStates">[];
  readonly offers: readonly { readonly id: number; readonly name: string }[];
  readonly payments: readonly Row<"payments">[];
  readonly outbox: readonly OutboxSummary[];
}

export type SessionView = ReturnType<typeof sessionView>;
export type PersonView = ReturnType<typeof personView>;
export type PaymentView = ReturnType<typeof paymentView>;
export type OutboxSummaryView = ReturnType<typeof outboxSummaryView>;

/** The session row, ready for JSON. */
export function sessionView(session: Session, { pool, bots }: Pick<VisitorRows, "pool" | "bots">) {
  return {
    tracking_token: session.trackingToken,
    root_event_id: session.rootEventId,
    pool,
    bot: bots.find(({ id }) => id === session.botId) ?? null,
    pageview_sent: session.pageviewSent,
    pageview_sent_at: iso(session.pageviewSentAt),
    pageview_ts: session.pageviewTs.toISOString(),
    click_ts: iso(session.clickTs),
    cookies_at: iso(session.cookiesAt),
    fbclid: session.fbclid,
    fbc: session.fbc,
    fbc_origin: session.fbcOrigin,
    fbp: session.fbp,
    fbi: session.fbi,
    utm_source: session.utmSource,
    utm_campaign: session.utmCampaign,
    utm_medium: session.utmMedium,
    utm_content: session.utmContent,
    utm_term: session.utmTerm,
    grim: session.grim,
    params: session.params,
    client_ip: session.clientIp,
    user_agent: session.userAgent,
    referrer: session.referrer,
    event_source_url: session.eventSourceUrl,
    consent: session.consent,
    user_external_id: session.userExternalId,
    created_at: session.createdAt.toISOString(),
    updated_at: session.updatedAt.toISOString(),
  };
}

/** A person in a bot, ready for JSON. */
export function personView(person: Row<"botUsers">, { bots }: Pick<VisitorRows, "bots">) {
  return {
    bot: bots.find(({ id }) => id === person.botId) ?? null,
    telegram_user_id: person.telegramUserId,
    username: person.username,
    first_name: person.firstName,
    language_code: person.languageCode,
    first_token: person.firstToken,
    latest_token: person.latestToken,
    blocked_at: iso(person.blockedAt),
    created_at: person.createdAt.toISOString(),
  };
}

/** A payment, ready for JSON; customers' data are digests and stay inside. */
export function paymentView(payment: Row<"payments">) {
  return {
    id: payment.id,
    provider: payment.provider,
    provider_ref: payment.providerRef,
    status: payment.status,
    amount_minor: payment.amountMinor,
    currency: payment.currency,
    tracking_token: payment.trackingToken,
    offer_id: payment.offerId,
    content: payment.content,
    meta_purchase_sent: payment.metaPurchaseSent,
    meta_purchase_sent_at: iso(payment.metaPurchaseSentAt),
    created_at: payment.createdAt.toISOString(),
    paid_at: iso(payment.paidAt),
    refunded_at: iso(payment.refundedAt),
    notes: paymentNotes(payment),
  };
}

/** An outbox row, ready for JSON. */
export function outboxSummaryView(row: OutboxSummary) {
  return {
    id: row.id,
    destination: row.destination,
    route: row.route,
    event_name: row.eventName,
    event_id: row.eventId,
    status: row.status,
    attempts: row.attempts,
    last_error: row.lastError,
    fbtrace_id: row.fbtraceId,
    created_at: row.createdAt.toISOString(),
    delivered_at: iso(row.deliveredAt),
  };
}

function iso(date: Date | null): string | null {
  return date?.toISOString() ?? null;
}
