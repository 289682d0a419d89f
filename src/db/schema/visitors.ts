import { sql } from "drizzle-orm";
import type { Consent } from "../../platform/consent.ts";
import type { Kit } from "../postgres/kit.ts";
import type { FbcOrigin, FunnelState } from "../vocabulary.ts";
import type { poolTables } from "./pools.ts";
import { timesOf } from "./times.ts";

/** Who came, and how far they got. */
export function visitorTables(kit: Kit, { bots }: Pick<ReturnType<typeof poolTables>, "bots">) {
  const { table, index, uniqueIndex, rowId, text, big, boolean, instant, json } = kit;
  const times = timesOf(kit);

  /** One accepted visit. `tracking_token` is a UUIDv7 (v8 of who denied consent), so the unique index grows at its end only. */
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
      fbcOrigin: text().$type<FbcOrigin>(),
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
      consent: text().$type<Consent>(),
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

  /** Telegram updates already handled: a webhook sent again changes nothing. */
  const telegramUpdates = table(
    "telegram_updates",
    { id: rowId(), botId: big().notNull(), updateId: big().notNull(), createdAt: instant().notNull() },
    (t) => [uniqueIndex("telegram_updates_bot_update_unique").on(t.botId, t.updateId)],
  );

  return { sessions, botUsers, funnelStates, telegramUpdates };
}
