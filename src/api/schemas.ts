import { z } from "zod";
import {
  DESTINATIONS,
  FUNNEL_STATES,
  LOCALES,
  OUTBOX_STATUSES,
  PAYMENT_STATUSES,
  STRATEGIES,
} from "../db/vocabulary.ts";
import type { ApiKeyView } from "../keys/api-keys.ts";
import type { OutboxDetail } from "../outbox/outbox-rows.ts";
import type { RouteBacklog, StatusCount } from "../outbox/status.ts";
import type { OutboxView } from "../outbox/views.ts";
import type { BotView } from "../pools/bot-view.ts";
import type { WebhookState } from "../pools/connect-bot.ts";
import type { RefusalCount } from "../pools/gate-refusals.ts";
import type { OfferView } from "../pools/offer-view.ts";
import type { PoolView } from "../pools/pool-view.ts";
import type { Erasure } from "../privacy/erasure.ts";
import type { Timeline } from "../tracking/timeline.ts";
import { overviewSchema } from "./overview-schemas.ts";
import { linkSchema, pixelSchema, testEventSchema } from "./pool-trial-schemas.ts";

/**
 * What the API answers with, for its documentation and for the tests that hold the answers to it. The types come
 * from the views; a schema that drifts from its view does not compile.
 */
const text = z.string();
const maybe = z.string().nullable();
const instant = z.iso.datetime();
const maybeInstant = instant.nullable();
const count = z.int();

const pageOf = <T extends z.ZodType>(item: T) => z.strictObject({ items: z.array(item), next_cursor: maybe });

const pool: z.ZodType<PoolView> = z
  .strictObject({
    id: count,
    slug: text,
    name: text,
    enabled: z.boolean(),
    strategy: z.enum(STRATEGIES),
    locale: z.enum(LOCALES).nullable(),
    auto_continue_ms: count.nullable(),
    capture_params: z.array(text),
    meta_tracking_enabled: z.boolean(),
    meta_pixel_id: maybe,
    has_access_token: z.boolean(),
    meta_test_event_code: maybe,
    meta_cloaker_enabled: z.boolean(),
    meta_cloaker_param_name: text,
    meta_cloaker_param_value: maybe,
    block_automated: z.boolean(),
    utmify_pixel_id: maybe,
    send_lead: z.boolean(),
    send_initiate_checkout: z.boolean(),
    total_redirects: count,
    bots: z.array(
      z.strictObject({
        id: count,
        username: text,
        weight: count,
        enabled: z.boolean(),
        total_redirects: count,
      }),
    ),
    created_at: instant,
    updated_at: instant,
  })
  .meta({
    examples: [
      {
        id: 1,
        slug: "summer",
        name: "Summer sale",
        enabled: true,
        strategy: "weighted",
        locale: null,
        auto_continue_ms: null,
        capture_params: [],
        meta_tracking_enabled: true,
        meta_pixel_id: "1234567890123456",
        has_access_token: true,
        meta_test_event_code: null,
        meta_cloaker_enabled: true,
        meta_cloaker_param_name: "grim",
        meta_cloaker_param_value: "k7Qx2",
        block_automated: false,
        utmify_pixel_id: null,
        send_lead: false,
        send_initiate_checkout: false,
        total_redirects: 1204,
        bots: [{ id: 1, username: "shop_bot", weight: 1, enabled: true, total_redirects: 1204 }],
        created_at: "2025-03-01T12:00:00.000Z",
        updated_at: "2025-03-02T09:30:00.000Z",
      },
    ],
  });

const botShape = {
  id: count,
  username: text,
  telegram_id: maybe,
  has_token: z.boolean(),
  has_payment_token: z.boolean(),
  enabled: z.boolean(),
  healthy: z.boolean(),
  health_reason: maybe,
  locale: z.enum(LOCALES).nullable(),
  welcome: maybe,
  pools: z.array(text),
  created_at: instant,
  updated_at: instant,
};
const bot: z.ZodType<BotView> = z.strictObject(botShape);

const offer: z.ZodType<OfferView> = z.strictObject({
  id: count,
  bot: text,
  name: text,
  description: text,
  price_minor: count,
  currency: text,
  provider: text,
  delivery: text,
  position: count,
  enabled: z.boolean(),
  created_at: instant,
  updated_at: instant,
});

const webhook: z.ZodType<WebhookState> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("set"), url: text }),
  z.strictObject({ kind: z.literal("as_before") }),
  z.strictObject({ kind: z.literal("no_token") }),
  z.strictObject({ kind: z.literal("no_public_url") }),
  z.strictObject({ kind: z.literal("failed"), reason: text }),
]);

const apiKeyShape = {
  id: count,
  name: text,
  hint: text,
  scope: z.enum(["read", "write"]),
  created_at: instant,
  last_used_at: maybeInstant,
  revoked_at: maybeInstant,
};
const apiKey: z.ZodType<ApiKeyView> = z.strictObject(apiKeyShape);

const named = { id: count, username: text };
const botRef = z.strictObject(named).nullable();

const outboxSummaryShape = {
  id: count,
  destination: z.enum(DESTINATIONS),
  route: text,
  event_name: text,
  event_id: text,
  status: z.enum(OUTBOX_STATUSES),
  attempts: count,
  last_error: maybe,
  fbtrace_id: maybe,
  created_at: instant,
  delivered_at: maybeInstant,
};

const timeline: z.ZodType<Timeline> = z.strictObject({
  tracking_token: maybe,
  session: z
    .strictObject({
      tracking_token: text,
      root_event_id: text,
      pool: z.strictObject({ id: count, slug: text, name: text }).nullable(),
      bot: botRef,
      pageview_sent: z.boolean(),
      pageview_sent_at: maybeInstant,
      pageview_ts: instant,
      click_ts: maybeInstant,
      cookies_at: maybeInstant,
      fbclid: maybe,
      fbc: maybe,
      fbc_origin: z.enum(["cookie", "generated"]).nullable(),
      fbp: maybe,
      fbi: maybe,
      utm_source: maybe,
      utm_campaign: maybe,
      utm_medium: maybe,
      utm_content: maybe,
      utm_term: maybe,
      grim: maybe,
      params: z.record(text, text).nullable(),
      client_ip: maybe,
      user_agent: maybe,
      referrer: maybe,
      event_source_url: maybe,
      consent: z.enum(["granted", "denied", "erased"]).nullable(),
      user_external_id: maybe,
      created_at: instant,
      updated_at: instant,
    })
    .nullable(),
  people: z.array(
    z.strictObject({
      bot: botRef,
      telegram_user_id: text,
      username: maybe,
      first_name: maybe,
      language_code: maybe,
      first_token: maybe,
      latest_token: maybe,
      blocked_at: maybeInstant,
      created_at: instant,
    }),
  ),
  payments: z.array(
    z.strictObject({
      id: text,
      provider: text,
      provider_ref: text,
      status: z.enum(PAYMENT_STATUSES),
      amount_minor: count,
      currency: text,
      tracking_token: maybe,
      offer_id: count.nullable(),
      content: z
        .object({
          ids: z.array(text).exactOptional(),
          name: text.exactOptional(),
          type: text.exactOptional(),
        })
        .nullable(),
      meta_purchase_sent: z.boolean(),
      meta_purchase_sent_at: maybeInstant,
      created_at: instant,
      paid_at: maybeInstant,
      refunded_at: maybeInstant,
    }),
  ),
  outbox: z.array(z.strictObject(outboxSummaryShape)),
  steps: z.array(
    z.strictObject({
      kind: z.enum(["click", "gate", "cookies", "payment", "event", ...FUNNEL_STATES]),
      at: instant,
      after_ms: count.nullable(),
      event_name: maybe,
      event_id: maybe,
      status: z.enum(OUTBOX_STATUSES).nullable(),
      outbox_id: count.nullable(),
      payment_id: maybe,
      written_at: maybeInstant,
      detail: maybe,
    }),
  ),
});

const outboxShape = {
  ...outboxSummaryShape,
  pool: maybe,
  tracking_token: maybe,
  payment_id: maybe,
  available_at: instant,
  lease_until: maybeInstant,
};
const outboxRow: z.ZodType<OutboxView> = z.strictObject(outboxShape);

const outboxDetail: z.ZodType<OutboxDetail> = z.strictObject({
  ...outboxShape,
  payload: z.unknown(),
  requests: z.array(
    z.strictObject({
      id: count,
      started_at: instant,
      outcome: text,
      events: count,
      status: count.nullable(),
      code: count.nullable(),
      subcode: count.nullable(),
      fbtrace_id: maybe,
      duration_ms: count,
      response: text,
    }),
  ),
});

const statusCount: z.ZodType<StatusCount> = z.strictObject({
  destination: z.enum(DESTINATIONS),
  pool: maybe,
  event_name: text,
  status: z.enum(OUTBOX_STATUSES),
  events: count,
  oldest_created_at: instant,
  newest_created_at: instant,
});

const routeBacklog: z.ZodType<RouteBacklog> = z.strictObject({
  destination: z.enum(DESTINATIONS),
  route: text,
  state: z.enum(["ready", "paused", "throttled", "resting"]),
  waiting: count,
  due: count,
  sending: count,
  oldest_created_at: maybeInstant,
  oldest_age_seconds: count.nullable(),
  next_at: maybeInstant,
  paused_at: maybeInstant,
  paused_reason: maybe,
  throttled_until: maybeInstant,
  open_until: maybeInstant,
  failures: count,
});

const erasure: z.ZodType<Erasure> = z
  .strictObject({
    dry_run: z.boolean(),
    sessions: count,
    people: count.describe("Their rows in bots"),
    payments: count,
    outbox: count.describe("Events and messages"),
    unsent: count.describe("Of those, how many had not gone out, and never will"),
    undelivered: count.describe("Of those, what was paid for and not handed over: a person must see to it"),
    answers: count.describe("Telegram's answers in outbox_attempts"),
    spooled: count.describe("Visits on this machine's disk that the database did not have yet"),
    copies: count.nullable().describe("Copies in Redis; null where it did not answer: they go in seven days"),
  })
  .meta({
    examples: [
      {
        dry_run: false,
        sessions: 2,
        people: 1,
        payments: 1,
        outbox: 9,
        unsent: 0,
        undelivered: 0,
        answers: 5,
        spooled: 0,
        copies: 2,
      },
    ],
  });

const problem = z
  .strictObject({
    type: text,
    title: text,
    status: count,
    detail: text,
    errors: z.array(z.strictObject({ path: text, message: text })),
  })
  .meta({
    examples: [
      {
        type: "about:blank",
        title: "Bad Request",
        status: 400,
        detail: "The body must be a JSON object as the errors say; /openapi describes it.",
        errors: [{ path: "meta_pixel_id", message: "up to 20 digits" }],
      },
    ],
  });

const auditEntry = z.strictObject({
  id: count,
  at: instant,
  actor: text,
  action: text,
  subject: text,
  before: z.json(),
  after: z.json(),
});

const gateRefusal: z.ZodType<RefusalCount> = z.strictObject({
  pool_id: count,
  pool: text,
  param: count,
  automated: count,
});

/** By the name that they have in the OpenAPI document. */
export const SCHEMAS = {
  Pool: pool,
  PoolPage: pageOf(pool),
  PoolLink: linkSchema,
  PoolPixel: pixelSchema,
  TestEvent: testEventSchema,
  Bot: bot,
  BotPage: pageOf(bot),
  BotWithWebhook: z.strictObject({ ...botShape, webhook }),
  Webhook: webhook,
  Offer: offer,
  OfferPage: pageOf(offer),
  ApiKey: apiKey,
  ApiKeyPage: pageOf(apiKey),
  NewApiKey: z.strictObject({ ...apiKeyShape, key: text }),
  Timeline: timeline,
  Timelines: z.strictObject({ items: z.array(timeline) }),
  AuditPage: pageOf(auditEntry),
  Overview: overviewSchema,
  GateRefusals: z.strictObject({ items: z.array(gateRefusal) }),
  OutboxPage: pageOf(outboxRow),
  OutboxDetail: outboxDetail,
  OutboxStatus: z.strictObject({ events: z.array(statusCount), routes: z.array(routeBacklog) }),
  RouteChanged: z.strictObject({ destination: z.enum(DESTINATIONS), route: text, paused: z.boolean() }),
  Replayed: z.strictObject({ action: z.enum(["retry", "discard"]), dry_run: z.boolean(), rows: count }),
  Erasure: erasure,
  Problem: problem,
} as const;

export type SchemaName = keyof typeof SCHEMAS;
