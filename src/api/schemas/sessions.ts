import { z } from "zod";
import { FBC_ORIGINS, FUNNEL_STATES, OUTBOX_STATUSES, PAYMENT_STATUSES } from "../../db/vocabulary.ts";
import { CONSENTS } from "../../platform/consent.ts";
import type { Timeline } from "../../tracking/timeline.ts";
import { count, instant, maybe, maybeInstant, text } from "./kinds.ts";
import { outboxSummaryShape } from "./outbox.ts";

const named = { id: count, username: text };
const botRef = z.strictObject(named).nullable();

export const timelineSchema: z.ZodType<Timeline> = z.strictObject({
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
      fbc_origin: z.enum(FBC_ORIGINS).nullable(),
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
      consent: z.enum(CONSENTS).nullable(),
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
      notes: z.array(text),
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

export const timelinesSchema = z.strictObject({ items: z.array(timelineSchema) });
