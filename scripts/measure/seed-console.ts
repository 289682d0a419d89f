import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";

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
  const stepMs = (DAYS * 86_400_000) / visits;
  const startMs = Math.floor(nowMs - DAYS * 86_400_000);
  for (let first = 1; first <= visits; first += CHUNK) {
    const last = Math.min(visits, first + CHUNK - 1);
    await run(db, visitsOf(db, first, last, startMs, stepMs));
    await run(db, eventsOf(db, first, last, visits, startMs, stepMs));
    await run(db, statesOf(db, "started", first, last, 2, startMs, stepMs));
    await run(db, statesOf(db, "checkout_started", first, last, 10, startMs, stepMs));
    await run(db, paymentsOf(db, first, last, startMs, stepMs));
    await run(db, statesOf(db, "paid", first, last, 50, startMs, stepMs));
    await run(db, statesOf(db, "delivered", first, last, 50, startMs, stepMs));
    await run(db, attemptsOf(db, first, last, startMs, stepMs));
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

/** Numbers from `first` to `last` as rows `n`. */
function series({ dialect }: Database, first: number, last: number): SQL {
  return dialect.name === "postgres"
    ? sql`(select n::bigint as n from generate_series(${sql.raw(String(first))}, ${sql.raw(String(last))}) n) s`
    : sql`(with recursive s(n) as (select ${first} union all select n + 1 from s where n < ${last}) select n from s) s`;
}

/** Milliseconds of visit `n`; a little later with `plus`. */
function msOf(startMs: number, stepMs: number, plus = 0): SQL {
  return sql.raw(`(${startMs + plus} + cast(n * ${stepMs} as bigint))`);
}

function instant({ dialect }: Database, ms: SQL): SQL {
  return dialect.name === "postgres" ? sql`to_timestamp(${ms} / 1000.0)` : ms;
}

/** A token that begins with its visit's time, as UUIDv7 do. */
function token({ dialect }: Database, startMs: number, stepMs: number): SQL {
  const ms = msOf(startMs, stepMs);
  return dialect.name === "postgres"
    ? sql`(lpad(to_hex(${ms}), 12, '0') || lpad(to_hex(n), 20, '0'))`
    : sql`(printf('%012x', ${ms}) || printf('%020x', n))`;
}

const pool = sql.raw(`(1 + n * 7 % ${POOLS})`);
const bot = sql.raw(`(1 + n * 11 % ${BOTS})`);
const text = (value: SQL) => sql`cast(${value} as text)`;

function visitsOf(db: Database, first: number, last: number, startMs: number, stepMs: number): SQL {
  const at = instant(db, msOf(startMs, stepMs));
  const truth = db.dialect.name === "postgres" ? sql`true` : sql`1`;
  return sql`
    insert into meta_tracking_sessions (tracking_token, root_event_id, pool_id, bot_id, pageview_sent, pageview_sent_at,
      pageview_ts, utm_source, utm_campaign, fbclid, client_ip, user_agent, event_source_url, created_at, updated_at)
    select ${token(db, startMs, stepMs)}, 'evt_' || ${token(db, startMs, stepMs)}, ${pool}, ${bot}, ${truth}, ${at}, ${at},
      'facebook', 'BR | Campaign ' || ${text(sql.raw(`n * 13 % ${CAMPAIGNS}`))}, 'IwAR0' || ${token(db, startMs, stepMs)},
      '192.0.2.1', 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36', 'https://go.example.com/go/pool', ${at}, ${at}
    from ${series(db, first, last)}`;
}

function eventsOf(
  db: Database,
  first: number,
  last: number,
  visits: number,
  startMs: number,
  stepMs: number,
): SQL {
  const at = instant(db, msOf(startMs, stepMs));
  const waitingFrom = sql.raw(String(visits - WAITING));
  const deadFrom = sql.raw(String(visits - WAITING - DEAD));
  const payload = `{"event_name":"PageView","action_source":"website","event_source_url":"https://go.example.com/go/pool","user_data":{"external_id":"${"a".repeat(64)}","client_user_agent":"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36","client_ip_address":"192.0.2.1"}}`;
  const asJson = db.dialect.name === "postgres" ? sql.raw(`'${payload}'::json`) : sql.raw(`'${payload}'`);
  return sql`
    insert into outbox (destination, route, event_name, event_id, pool_id, tracking_token, payload, status, attempts,
      available_at, last_error, created_at, delivered_at)
    select 'meta', '100' || ${text(pool)}, 'PageView', 'evt_' || ${token(db, startMs, stepMs)}, ${pool},
      ${token(db, startMs, stepMs)}, ${asJson},
      case when n > ${waitingFrom} then 'pending' when n > ${deadFrom} then 'dead' else 'delivered' end, 1, ${at},
      case when n <= ${waitingFrom} and n > ${deadFrom} then 'Invalid parameter' end, ${at}, ${at}
    from ${series(db, first, last)}`;
}

/** Every `nth` visit reaches the state. */
function statesOf(
  db: Database,
  state: string,
  first: number,
  last: number,
  nth: number,
  startMs: number,
  stepMs: number,
): SQL {
  const payment = state === "paid" ? sql`'pay' || ${text(sql`n`)}` : sql.raw("null");
  return sql`
    insert into funnel_states (dedup_key, state, pool_id, bot_id, tracking_token, payment_id, created_at)
    select ${sql.raw(`'${state}'`)} || ':' || ${text(sql`n`)}, ${sql.raw(`'${state}'`)}, ${pool}, ${bot},
      ${token(db, startMs, stepMs)}, ${payment}, ${instant(db, msOf(startMs, stepMs, 60_000))}
    from ${series(db, first, last)} where n % ${sql.raw(String(nth))} = 0`;
}

function paymentsOf(db: Database, first: number, last: number, startMs: number, stepMs: number): SQL {
  const at = instant(db, msOf(startMs, stepMs, 60_000));
  const yes = db.dialect.name === "postgres" ? sql`true` : sql`1`;
  return sql`
    insert into payments (id, provider, provider_ref, status, amount_minor, currency, pool_id, bot_id, tracking_token,
      paid_at, meta_purchase_sent, created_at, updated_at)
    select 'pay' || ${text(sql`n`)}, 'generic', 'ref' || ${text(sql`n`)}, 'paid', 4990,
      case when n % 500 = 0 then 'USD' else 'BRL' end, ${pool}, ${bot}, ${token(db, startMs, stepMs)}, ${at}, ${yes}, ${at}, ${at}
    from ${series(db, first, last)} where n % 50 = 0`;
}

function attemptsOf(db: Database, first: number, last: number, startMs: number, stepMs: number): SQL {
  const ids = `[${Array.from({ length: EVENTS_PER_REQUEST }, (_, i) => 1_000_000 + i).join(",")}]`;
  const idsOf = db.dialect.name === "postgres" ? sql.raw(`'${ids}'::json`) : sql.raw(`'${ids}'`);
  return sql`
    insert into outbox_attempts (destination, route, outbox_ids, events, outcome, status, duration_ms, response, started_at)
    select 'meta', '100' || ${text(pool)}, ${idsOf}, ${EVENTS_PER_REQUEST},
      case when n % 4000 = 0 then 'transient' else 'delivered' end, 200, 80 + n % 90, '{"events_received":40}',
      ${instant(db, msOf(startMs, stepMs))}
    from ${series(db, first, last)} where n % ${sql.raw(String(EVENTS_PER_REQUEST))} = 0`;
}
