import { sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";

const CHUNK = 50_000;
/** Between the visits of the past, in milliseconds. */
const STEP_MS = 20;

/**
 * Fills SQLite's tables with delivered visits of the past, by SQL alone: rows as long as real ones, tokens in order of
 * time as the server makes them.
 */
export async function seedSessions(
  db: Database,
  count: number,
  onProgress: (written: number) => void,
): Promise<void> {
  const firstMs = Date.now() - (count + 1) * STEP_MS;
  for (let from = 0; from < count; from += CHUNK) {
    const upTo = Math.min(count, from + CHUNK);
    await db.transaction(async (tx) => {
      await tx.rows(sql`
        with recursive n(i) as (select ${from} union all select i + 1 from n where i + 1 < ${upTo}),
          visit as materialized (
            select i, ${firstMs} + i * ${STEP_MS} as at,
              printf('%012x7%s8%s', ${firstMs} + i * ${STEP_MS}, substr(lower(hex(randomblob(2))), 2), substr(lower(hex(randomblob(8))), 2)) as token
            from n)
        insert into meta_tracking_sessions (
          tracking_token, root_event_id, pool_id, bot_id, pageview_sent, pageview_sent_at, pageview_ts, click_ts, fbclid,
          fbc, fbc_origin, fbp, utm_source, utm_campaign, utm_medium, client_ip, user_agent, referrer, event_source_url,
          created_at, updated_at)
        select token, 'evt_' || token, 1, 1, 1, at, at, at, 'IwZXh0bgNhZW0BMABhZGlkAasT' || token,
          'fb.1.' || at || '.IwZXh0bgNhZW0BMABhZGlkAasT' || token, 'generated', 'fb.1.' || at || '.1234567890',
          'facebook', 'black-friday-2025', 'paid_social', '177.45.10.20',
          'Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/440.0.0.31.105]',
          'https://l.facebook.com/', 'https://go.example.com/go/bench?fbclid=IwZXh0bgNhZW0BMABhZGlkAasT' || token, at, at
        from visit`);
      await tx.rows(sql`
        insert into outbox (
          destination, route, event_name, event_id, pool_id, tracking_token, payload, status, attempts, available_at,
          created_at, delivered_at, fbtrace_id)
        select 'meta', '1234567890123456', 'PageView', root_event_id, pool_id, tracking_token,
          json_object('event_name', 'PageView', 'event_id', root_event_id, 'event_source_url', event_source_url,
            'user_data', json_object('fbc', fbc, 'fbp', fbp, 'client_user_agent', user_agent, 'external_id', tracking_token)),
          'delivered', 1, created_at, created_at, created_at + 5000, 'AbCdEfGhIjKlMnOp'
        from meta_tracking_sessions
        where id > coalesce((select max(id) from meta_tracking_sessions), 0) - ${upTo - from}`);
    });
    onProgress(upTo);
  }
}
