import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../../src/db/database.ts";
import { DAY_MS } from "../../../src/platform/durations.ts";
import { PIXEL } from "../../bench/seed.ts";
import { json, series, text } from "../series.ts";

const CHUNK = 250_000;
/** Between the visits of the past, in milliseconds. */
const STEP_MS = 50;
const EVENTS_PER_REQUEST = 40;
/** Further pixels with an event that waits for tomorrow. */
const OTHER_ROUTES = 20;

/**
 * Fills an empty database with `rows` events, all delivered, each with its session, and their requests: by SQL alone,
 * with tokens in order of time as the server makes them.
 */
export async function fill(db: Database, rows: number, say: (line: string) => void): Promise<void> {
  const startMs = Date.now() - 30 * DAY_MS;
  await addOtherRoutes(db);
  for (let first = 1; first <= rows; first += CHUNK) {
    const last = Math.min(rows, first + CHUNK - 1);
    const visits = series(db, { first, last, startMs, stepMs: STEP_MS });
    for (const statement of [sessions(visits), events(db, visits), attempts(db, first, visits)]) {
      await db.transaction((tx) => tx.rows(statement));
    }
    say(`${last} of ${rows} rows`);
  }
  await settleDown(db);
}

/** Pixels beside the one that is busy, so that there is something to look through. */
async function addOtherRoutes(db: Database): Promise<void> {
  const tomorrow = db.dialect.plusMs(db.dialect.now, DAY_MS);
  await db.transaction((tx) =>
    tx.rows(sql`
      insert into outbox (destination, route, event_name, event_id, payload, status, attempts, available_at, created_at)
      select 'meta', '77' || ${text(sql`n`)}, 'PageView', 'waits_' || ${text(sql`n`)}, ${json(db, "{}")}, 'pending', 0,
        ${tomorrow}, ${db.dialect.now}
      from ${series(db, { first: 1, last: OTHER_ROUTES, startMs: 0, stepMs: STEP_MS })}`),
  );
}

/** What autovacuum and checkpoints would do in a quiet minute, so that the filling does not weigh on the figures. */
async function settleDown(db: Database): Promise<void> {
  if (db.dialect.name === "sqlite") {
    await db.rows(sql`pragma wal_checkpoint(passive)`);
    return;
  }
  await db.rows(sql`vacuum (analyze)`);
  await db.rows(sql`checkpoint`);
}

function sessions(visits: SQL): SQL {
  return sql`
    insert into meta_tracking_sessions (tracking_token, root_event_id, pool_id, bot_id, pageview_ts, utm_source, client_ip,
      created_at, updated_at)
    select token, 'evt_' || token, 1, 1, at, 'facebook', '192.0.2.1', at, at from ${visits}`;
}

function events(db: Database, visits: SQL): SQL {
  const payload = `{"event_name":"PageView","action_source":"website","event_source_url":"https://go.example.com/go/bench","user_data":{"client_user_agent":"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36","client_ip_address":"192.0.2.1"}}`;
  return sql`
    insert into outbox (destination, route, event_name, event_id, pool_id, tracking_token, payload, status, attempts,
      available_at, created_at, delivered_at, fbtrace_id)
    select 'meta', ${PIXEL}, 'PageView', 'evt_' || token, 1, token, ${json(db, payload)}, 'delivered', 1, at, at, at,
      'AbCdEfGhIjKlMnOp'
    from ${visits}`;
}

function attempts(db: Database, first: number, visits: SQL): SQL {
  const ids = JSON.stringify(Array.from({ length: EVENTS_PER_REQUEST }, (_, i) => first + i));
  return sql`
    insert into outbox_attempts (destination, route, outbox_ids, events, outcome, status, duration_ms, response, started_at)
    select 'meta', ${PIXEL}, ${json(db, ids)}, ${EVENTS_PER_REQUEST}, 'delivered', 200, 80, '{"events_received":40}', at
    from ${visits} where n % ${sql.raw(String(EVENTS_PER_REQUEST))} = 0`;
}
