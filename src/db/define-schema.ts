import { sql } from "drizzle-orm";
import type { Kit } from "./kit-postgres.ts";

export const OUTBOX_STATUSES = ["pending", "sending", "delivered", "dead", "expired", "discarded"] as const;
export type OutboxStatus = (typeof OUTBOX_STATUSES)[number];

export const DESTINATIONS = ["meta", "telegram"] as const;
export type Destination = (typeof DESTINATIONS)[number];

/** Whoever paused a route: an operator, or the other side by refusing the credential (or all that is sent). */
export type PausedBy = "operator" | "refusal";

export const FUNNEL_STATES = [
  "started",
  "offer_viewed",
  "checkout_started",
  "paid",
  "delivered",
  "refunded",
  "blocked",
] as const;
export type FunnelState = (typeof FUNNEL_STATES)[number];

export const PAYMENT_STATUSES = ["pending", "paid", "refunded", "chargeback", "expired"] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

export const STRATEGIES = ["weighted", "round_robin", "least_used"] as const;
export type Strategy = (typeof STRATEGIES)[number];

export const LOCALES = ["pt-BR", "en"] as const;
export type Locale = (typeof LOCALES)[number];

/**
 * Every table, once, for both databases: `kit` brings the dialect's builders. Columns take their SQL name from
 * the key (drizzle's `casing: "snake_case"`), so a row reads `trackingToken` and SQL says `tracking_token`.
 */
export function defineSchema(kit: Kit) {
  const { table, index, uniqueIndex, rowId, text, integer, big, boolean, instant, json } = kit;

  const times = () => ({ createdAt: instant().notNull(), updatedAt: instant().notNull() });

  /** A slug with its pixel, its gate and its bots. */
  const pools = table(
    "pools",
    {
      id: rowId(),
      slug: text().notNull(),
      name: text().notNull(),
      enabled: boolean().notNull().default(true),
      strategy: text().$type<Strategy>().notNull().default("weighted"),
      /** The page's language; null follows `Accept-Language`. */
      locale: text().$type<Locale>(),
      /** Milliseconds after which the page goes on to the bot by itself; null waits for the visitor's tap. */
      autoContinueMs: integer(),
      /** Query parameters kept besides the standard ones. */
      captureParams: json().$type<readonly string[]>().notNull(),
      metaTrackingEnabled: boolean().notNull().default(true),
      metaPixelId: text(),
      /** Sealed by `platform/secrets`. */
      metaAccessToken: text(),
      /** When that token was last set; null: before this was written down. */
      metaAccessTokenAt: instant(),
      metaTestEventCode: text(),
      metaCloakerEnabled: boolean().notNull().default(false),
      metaCloakerParamName: text().notNull().default("grim"),
      metaCloakerParamValue: text(),
      /** The gate also refuses self-declared automated clients. */
      blockAutomated: boolean().notNull().default(false),
      utmifyPixelId: text(),
      sendLead: boolean().notNull().default(false),
      sendInitiateCheckout: boolean().notNull().default(false),
      totalRedirects: big().default(0),
      ...times(),
    },
    (t) => [uniqueIndex("pools_slug_unique").on(t.slug)],
  );

  const bots = table(
    "bots",
    {
      id: rowId(),
      username: text().notNull(),
      /** Telegram's token and the webhook's secret, sealed; null for a bot that lives elsewhere. */
      token: text(),
      webhookSecret: text(),
      /** The token of a payment provider connected through @BotFather, sealed; for invoices in money. */
      paymentToken: text(),
      telegramId: text(),
      enabled: boolean().notNull().default(true),
      healthy: boolean().notNull().default(true),
      /** Why it is not healthy, in Telegram's words. */
      healthReason: text(),
      locale: text().$type<Locale>(),
      /** The answer to `/start`; null uses the built-in text. */
      welcome: text(),
      ...times(),
    },
    (t) => [uniqueIndex("bots_username_unique").on(t.username)],
  );

  /** A bot's membership in a pool. */
  const poolBots = table(
    "pool_bots",
    {
      id: rowId(),
      poolId: big()
        .notNull()
        .references(() => pools.id),
      botId: big()
        .notNull()
        .references(() => bots.id),
      weight: integer().notNull().default(1),
      enabled: boolean().notNull().default(true),
      totalRedirects: big().default(0),
    },
    (t) => [uniqueIndex("pool_bots_pool_bot_unique").on(t.poolId, t.botId)],
  );

  /** Refusals of the gate, counted by pool, reason and hour. */
  const gateRefusals = table(
    "gate_refusals",
    {
      id: rowId(),
      poolId: big()
        .notNull()
        .references(() => pools.id),
      reason: text().notNull(),
      hour: instant().notNull(),
      total: big().notNull(),
    },
    (t) => [uniqueIndex("gate_refusals_pool_reason_hour_unique").on(t.poolId, t.reason, t.hour)],
  );

  /** One accepted visit. `tracking_token` is a UUIDv7, so the unique index grows at its end only. */
  const sessions = table(
    "meta_tracking_sessions",
    {
      id: rowId(),
      trackingToken: text().notNull(),
      rootEventId: text().notNull(),
      poolId: big().notNull(),
      botId: big().notNull(),
      pageviewSent: boolean().notNull().default(false),
      pageviewSentAt: instant(),
      pageviewTs: instant().notNull(),
      clickTs: instant(),
      fbclid: text(),
      fbc: text(),
      fbcOrigin: text().$type<"cookie" | "generated">(),
      fbp: text(),
      /** Meta's `_fbi` cookie: the client's address as the param builder saw it. */
      fbi: text(),
      /** When the browser last reported cookies that were news, or its first ones. */
      cookiesAt: instant(),
      utmSource: text(),
      utmCampaign: text(),
      utmMedium: text(),
      utmContent: text(),
      utmTerm: text(),
      grim: text(),
      /** Further query parameters that the pool lists. */
      params: json().$type<Readonly<Record<string, string>>>(),
      clientIp: text(),
      userAgent: text(),
      referrer: text(),
      eventSourceUrl: text(),
      /** `erased`: the person had their data erased; nothing of the visit is ever reported or filled in again. */
      consent: text().$type<"granted" | "denied" | "erased">(),
      userExternalId: text(),
      ...times(),
    },
    (t) => [
      uniqueIndex("meta_tracking_sessions_tracking_token_unique").on(t.trackingToken),
      index("meta_tracking_sessions_user_external_id_idx")
        .on(t.userExternalId)
        .where(sql`user_external_id is not null`),
    ],
  );

  const botUsers = table(
    "bot_users",
    {
      id: rowId(),
      botId: big()
        .notNull()
        .references(() => bots.id),
      telegramUserId: text().notNull(),
      username: text(),
      firstName: text(),
      languageCode: text(),
      firstToken: text(),
      latestToken: text(),
      blockedAt: instant(),
      ...times(),
    },
    (t) => [
      uniqueIndex("bot_users_bot_user_unique").on(t.botId, t.telegramUserId),
      index("bot_users_telegram_user_idx").on(t.telegramUserId),
      index("bot_users_latest_token_idx").on(t.latestToken),
    ],
  );

  /** One step that a person reached, once (`dedup_key`). */
  const funnelStates = table(
    "funnel_states",
    {
      id: rowId(),
      dedupKey: text().notNull(),
      state: text().$type<FunnelState>().notNull(),
      poolId: big(),
      botId: big(),
      botUserId: big(),
      trackingToken: text(),
      offerId: big(),
      paymentId: text(),
      createdAt: instant().notNull(),
    },
    (t) => [
      uniqueIndex("funnel_states_dedup_key_unique").on(t.dedupKey),
      index("funnel_states_token_idx").on(t.trackingToken),
      index("funnel_states_bot_user_idx").on(t.botUserId),
      index("funnel_states_created_at_idx").on(t.createdAt),
    ],
  );

  const offers = table(
    "offers",
    {
      id: rowId(),
      botId: big()
        .notNull()
        .references(() => bots.id),
      name: text().notNull(),
      description: text().notNull(),
      priceMinor: big().notNull(),
      currency: text().notNull(),
      provider: text().notNull(),
      /** What the buyer receives: a text or a link. */
      delivery: text().notNull(),
      position: integer().notNull().default(0),
      enabled: boolean().notNull().default(true),
      ...times(),
    },
    (t) => [index("offers_bot_idx").on(t.botId, t.position)],
  );

  /** Telegram updates already handled: a webhook sent again changes nothing. */
  const telegramUpdates = table(
    "telegram_updates",
    { id: rowId(), botId: big().notNull(), updateId: big().notNull(), createdAt: instant().notNull() },
    (t) => [uniqueIndex("telegram_updates_bot_update_unique").on(t.botId, t.updateId)],
  );

  const payments = table(
    "payments",
    {
      /** UUIDv7 in hex, made by the writer: `purchase_<id>` stays unique at Meta even if a database is rebuilt. */
      id: text().primaryKey(),
      provider: text().notNull(),
      providerRef: text().notNull(),
      status: text().$type<PaymentStatus>().notNull(),
      amountMinor: big().notNull(),
      currency: text().notNull(),
      poolId: big(),
      botId: big(),
      botUserId: big(),
      offerId: big(),
      trackingToken: text(),
      customerUserId: text(),
      /** SHA-256 digests only: plain personal data is never stored. */
      customer: json().$type<Readonly<Record<string, string>>>(),
      content: json().$type<{ ids?: readonly string[]; name?: string; type?: string }>(),
      /** What the provider gave for the checkout (link, Pix code), and what a later confirmation disagreed on. */
      providerData: json().$type<Readonly<Record<string, unknown>>>(),
      paidAt: instant(),
      refundedAt: instant(),
      metaPurchaseSent: boolean().notNull().default(false),
      metaPurchaseSentAt: instant(),
      /** When the buyer's data was erased: from then on nobody is reported or delivered to for this payment. */
      erasedAt: instant(),
      ...times(),
    },
    (t) => [
      uniqueIndex("payments_provider_ref_unique").on(t.provider, t.providerRef),
      index("payments_token_idx").on(t.trackingToken),
      index("payments_bot_user_idx").on(t.botUserId),
      index("payments_customer_idx").on(t.customerUserId).where(sql`customer_user_id is not null`),
      index("payments_created_at_idx").on(t.createdAt),
      index("payments_pending_idx").on(t.createdAt).where(sql`status = 'pending'`),
    ],
  );

  /** Everything that must still reach Meta or Telegram, and what became of it. */
  const outbox = table(
    "outbox",
    {
      id: rowId(),
      destination: text().$type<Destination>().notNull(),
      /** What is sent together and fails together: `<pixel>` or `<pixel>/<test code>` at Meta, the bot's id at Telegram. */
      route: text().notNull(),
      eventName: text().notNull(),
      eventId: text().notNull(),
      poolId: big(),
      trackingToken: text(),
      paymentId: text(),
      /** The person in a bot whom it tells of, or is sent to: how everything about somebody is found. */
      botUserId: big(),
      payload: json().notNull(),
      status: text().$type<OutboxStatus>().notNull().default("pending"),
      attempts: integer().notNull().default(0),
      availableAt: instant().notNull(),
      leaseUntil: instant(),
      /** Whose lease it is: a result that arrives under another lease changes nothing. */
      leaseId: text(),
      lastError: text(),
      fbtraceId: text(),
      createdAt: instant().notNull(),
      deliveredAt: instant(),
    },
    (t) => [
      uniqueIndex("outbox_destination_event_id_unique").on(t.destination, t.eventId),
      index("outbox_pending_idx")
        .on(t.destination, t.route, t.availableAt, t.id)
        .where(sql`status = 'pending'`),
      index("outbox_sending_idx").on(t.leaseUntil).where(sql`status = 'sending'`),
      index("outbox_troubled_idx").on(t.status, t.id).where(sql`status in ('dead', 'expired', 'discarded')`),
      index("outbox_token_idx").on(t.trackingToken).where(sql`tracking_token is not null`),
      index("outbox_bot_user_idx").on(t.botUserId).where(sql`bot_user_id is not null`),
      index("outbox_payment_idx").on(t.paymentId).where(sql`payment_id is not null`),
    ],
  );

  /** One request made for a batch of outbox rows, and its answer. */
  const outboxAttempts = table(
    "outbox_attempts",
    {
      id: rowId(),
      destination: text().$type<Destination>().notNull(),
      route: text().notNull(),
      outboxIds: json().$type<readonly number[]>().notNull(),
      events: integer().notNull(),
      outcome: text().notNull(),
      /** HTTP status; null where no answer came. */
      status: integer(),
      code: integer(),
      subcode: integer(),
      fbtraceId: text(),
      durationMs: integer().notNull(),
      response: text().notNull(),
      startedAt: instant().notNull(),
    },
    (t) => [index("outbox_attempts_route_started_idx").on(t.destination, t.route, t.startedAt)],
  );

  /** What the dispatchers know of a route: absent means "fine". */
  const outboxRoutes = table(
    "outbox_routes",
    {
      id: rowId(),
      destination: text().$type<Destination>().notNull(),
      route: text().notNull(),
      /** Set while an operator's help is needed; cleared by `resume` or by a changed credential. */
      pausedAt: instant(),
      pausedReason: text(),
      /** Null: before this was written down. */
      pausedBy: text().$type<PausedBy>(),
      throttledUntil: instant(),
      /** Answers in a row that asked for quiet. */
      throttles: integer().notNull().default(0),
      failures: integer().notNull().default(0),
      openUntil: instant(),
      /** Refusals in a row that nothing in the events explained. */
      unexplained: integer().notNull().default(0),
      updatedAt: instant().notNull(),
    },
    (t) => [uniqueIndex("outbox_routes_destination_route_unique").on(t.destination, t.route)],
  );

  /** A dispatcher's sign of life, for `/readyz` and the console. */
  const dispatchers = table("dispatchers", {
    id: text().primaryKey(),
    host: text().notNull(),
    pid: integer().notNull(),
    startedAt: instant().notNull(),
    heartbeatAt: instant().notNull(),
  });

  /**
   * What happened in an hour, counted anew from the sessions, funnel states and payments by `src/rollups`: pages that
   * look at weeks read these. Everything is there three times, by pool, by bot and by campaign. Rows with a currency
   * carry sales, those with '' everything else.
   */
  const funnelHourly = table(
    "funnel_hourly",
    {
      id: rowId(),
      dimension: text().$type<"pool" | "bot" | "campaign">().notNull(),
      hour: instant().notNull(),
      /** The pool's or the bot's id, or the campaign's name; '' where there is none. */
      key: text().notNull(),
      currency: text().notNull(),
      clicks: big().notNull(),
      starts: big().notNull(),
      checkouts: big().notNull(),
      paid: big().notNull(),
      delivered: big().notNull(),
      refunded: big().notNull(),
      valueMinor: big().notNull(),
      refundedMinor: big().notNull(),
    },
    (t) => [
      uniqueIndex("funnel_hourly_dimension_hour_key_currency_unique").on(
        t.dimension,
        t.hour,
        t.key,
        t.currency,
      ),
    ],
  );

  /** Requests of a route and what came of them, by minute (for some days) and by hour; see `src/rollups`. */
  const deliveryRates = table(
    "delivery_rates",
    {
      id: rowId(),
      unit: text().$type<"minute" | "hour">().notNull(),
      at: instant().notNull(),
      destination: text().$type<Destination>().notNull(),
      route: text().notNull(),
      requests: big().notNull(),
      /** Requests that did not go through. */
      failures: big().notNull(),
      /** Events that were delivered. */
      delivered: big().notNull(),
      durationMs: big().notNull(),
    },
    (t) => [
      uniqueIndex("delivery_rates_unit_at_destination_route_unique").on(t.unit, t.at, t.destination, t.route),
    ],
  );

  const auditLog = table(
    "audit_log",
    {
      id: rowId(),
      at: instant().notNull(),
      actor: text().notNull(),
      action: text().notNull(),
      subject: text().notNull(),
      before: json(),
      after: json(),
    },
    (t) => [index("audit_log_at_idx").on(t.at)],
  );

  const apiKeys = table(
    "api_keys",
    {
      id: rowId(),
      name: text().notNull(),
      /** SHA-256 of the key; the key itself is shown once. */
      keyHash: text().notNull(),
      hint: text().notNull(),
      scope: text().$type<"read" | "write">().notNull(),
      createdAt: instant().notNull(),
      lastUsedAt: instant(),
      revokedAt: instant(),
    },
    (t) => [uniqueIndex("api_keys_hash_unique").on(t.keyHash)],
  );

  const operatorSessions = table(
    "operator_sessions",
    {
      id: rowId(),
      /** SHA-256 of the cookie's value. */
      sessionHash: text().notNull(),
      csrfToken: text().notNull(),
      createdAt: instant().notNull(),
      expiresAt: instant().notNull(),
    },
    (t) => [uniqueIndex("operator_sessions_hash_unique").on(t.sessionHash)],
  );

  /** Small facts of the installation itself, such as the operator's password hash. */
  const settings = table("settings", {
    key: text().primaryKey(),
    value: text().notNull(),
    updatedAt: instant().notNull(),
  });

  return {
    pools,
    bots,
    poolBots,
    gateRefusals,
    sessions,
    botUsers,
    funnelStates,
    offers,
    telegramUpdates,
    payments,
    outbox,
    outboxAttempts,
    outboxRoutes,
    dispatchers,
    funnelHourly,
    deliveryRates,
    auditLog,
    apiKeys,
    operatorSessions,
    settings,
  };
}

export type Tables = ReturnType<typeof defineSchema>;
