import { sql } from "drizzle-orm";
import type { Kit } from "../postgres/kit.ts";
import type { Locale, RefusalReason, Strategy } from "../vocabulary.ts";
import { timesOf } from "./times.ts";

/** Pools with their bots, and what the bots sell. */
export function poolTables(kit: Kit) {
  const { table, index, uniqueIndex, rowId, text, integer, big, boolean, instant, json } = kit;
  const times = timesOf(kit);

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
    // Telegram ignores the case of usernames.
    (t) => [uniqueIndex("bots_username_lower_unique").on(sql`lower(${t.username})`)],
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
      reason: text().$type<RefusalReason>().notNull(),
      hour: instant().notNull(),
      total: big().notNull(),
    },
    (t) => [uniqueIndex("gate_refusals_pool_reason_hour_unique").on(t.poolId, t.reason, t.hour)],
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

  return { pools, bots, poolBots, gateRefusals, offers };
}
