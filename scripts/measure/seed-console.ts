import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import { DAY_MS } from "../../src/platform/durations.ts";
import { json, series, text } from "./series.ts";

/** What a busy installation looks like after a month. */
interface Size {
  /** Visits, each with its outbox row. */
  readonly visits: number;
  /** Unix milliseconds of the newest. */
  readonly nowMs: number;
}

const DAYS = 30;
const CHUNK = 250_000;
const POOLS = 5;
const BOTS = 12;
const CAMPAIGNS = 200;
const EVENTS_PER_REQUEST = 40;
const WAITING = 30_000;
const DEAD = 1_500;

/** Fills an empty, migrated database by the database's own hand: millions of rows in a minute or two. */
export async function seedConsole(db: Database, { visits, nowMs }: Size): Promise<void> {
  await seedPools(db);
  const stepMs = (DAYS * DAY_MS) / visits;
  const startMs = Math.floor(nowMs - DAYS * DAY_MS);
  for (let first = 1; first <= visits; first += CHUNK) {
    const last = Math.min(visits, first + CHUNK - 1);
    const from = series(db, { first, last, startMs, stepMs });
    await run(db, visitsOf(from));
    await run(db, eventsOf(db, from, visits));
    await run(db, statesOf(db, from, "started", 2));
    await run(db, statesOf(db, from, "checkout_started", 10));
    await run(db, paymentsOf(db, from));
    await run(db, statesOf(db, from, "paid", 50));
    await run(db, statesOf(db, from, "delivered", 50));
    await run(db, attemptsOf(db, from));
  }
  // As autovacuum would; nobody analyzes a SQLite file.
  if (db.dialect.name === "postgres") await run(db, sql`analyze`);
}

async function run(db: Database, statement: SQL): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.rows(statement);
  });
}

async function seedPools(db: Database): Promise<void> {
  const times = { createdAt: new Date(0), updatedAt: new Date(0) };
  const { pools, bots } = db.tables;
  await db.transaction(async (tx) => {
    for (let i = 1; i <= POOLS; i++) {
      const pool = { slug: `pool-${i}`, name: `Pool ${i}`, metaPixelId: `100${i}`, captureParams: [] };
      await tx.insert(pools).values({ ...pool, ...times });
    }
    for (let i = 1; i <= BOTS; i++) await tx.insert(bots).values({ username: `bot_${i}_bot`, ...times });
  });
}

const pool = sql.raw(`(1 + n * 7 % ${POOLS})`);
const bot = sql.raw(`(1 + n * 11 % ${BOTS})`);
/** When a visit that bought had got so far. */
const later = ({ dialect }: Database) => dialect.plusMs(sql`at`, 60_000);

function visitsOf(from: SQL): SQL {
  return sql`
    insert into meta_tracking_sessions (tracking_token, root_event_id, pool_id, bot_id, pageview_sent, pageview_sent_at,
      pageview_ts, utm_source, utm_campaign, fbclid, client_ip, user_agent, event_source_url, created_at, updated_at)
    select token, 'evt_' || token, ${pool}, ${bot}, true, at, at,
      'facebook', 'BR | Campaign ' || ${text(sql.raw(`n * 13 % ${CAMPAIGNS}`))}, 'IwAR0' || token,
      '192.0.2.1', 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36', 'https://go.example.com/go/pool', at, at
    from ${from}`;
}

function eventsOf(db: Database, from: SQL, visits: number): SQL {
  const waitingFrom = sql.raw(String(visits - WAITING));
  const deadFrom = sql.raw(String(visits - WAITING - DEAD));
  const payload = `{"event_name":"PageView","action_source":"website","event_source_url":"https://go.example.com/go/pool","user_data":{"external_id":"${"a".repeat(64)}","client_user_agent":"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36","client_ip_address":"192.0.2.1"}}`;
  return sql`
    insert into outbox (destination, route, event_name, event_id, pool_id, tracking_token, payload, status, attempts,
      available_at, last_error, created_at, delivered_at)
    select 'meta', '100' || ${text(pool)}, 'PageView', 'evt_' || token, ${pool}, token, ${json(db, payload)},
      case when n > ${waitingFrom} then 'pending' when n > ${deadFrom} then 'dead' else 'delivered' end, 1, at,
      case when n <= ${waitingFrom} and n > ${deadFrom} then 'Invalid parameter' end, at, at
    from ${from}`;
}

/** Every `nth` visit reaches the state. */
function statesOf(db: Database, from: SQL, state: string, nth: number): SQL {
  const payment = state === "paid" ? sql`'pay' || ${text(sql`n`)}` : sql.raw("null");
  return sql`
    insert into funnel_states (dedup_key, state, pool_id, bot_id, tracking_token, payment_id, created_at)
    select ${sql.raw(`'${state}'`)} || ':' || ${text(sql`n`)}, ${sql.raw(`'${state}'`)}, ${pool}, ${bot},
      token, ${payment}, ${later(db)}
    from ${from} where n % ${sql.raw(String(nth))} = 0`;
}

function paymentsOf(db: Database, from: SQL): SQL {
  const at = later(db);
  return sql`
    insert into payments (id, provider, provider_ref, status, amount_minor, currency, pool_id, bot_id, tracking_token,
      paid_at, meta_purchase_sent, created_at, updated_at)
    select 'pay' || ${text(sql`n`)}, 'generic', 'ref' || ${text(sql`n`)}, 'paid', 4990,
      case when n % 500 = 0 then 'USD' else 'BRL' end, ${pool}, ${bot}, token, ${at}, true, ${at}, ${at}
    from ${from} where n % 50 = 0`;
}

function attemptsOf(db: Database, from: SQL): SQL {
  const ids = JSON.stringify(Array.from({ length: EVENTS_PER_REQUEST }, (_, i) => 1_000_000 + i));
  return sql`
    insert into outbox_attempts (destination, route, outbox_ids, events, outcome, status, duration_ms, response, started_at)
    select 'meta', '100' || ${text(pool)}, ${json(db, ids)}, ${EVENTS_PER_REQUEST},
      case when n % 4000 = 0 then 'transient' else 'delivered' end, 200, 80 + n % 90, '{"events_received":40}', at
    from ${from} where n % ${sql.raw(String(EVENTS_PER_REQUEST))} = 0`;
}
