import postgres from "postgres";
import { withDeadline } from "../../platform/deadline.ts";
import { createClock } from "../clock.ts";
import type { Channel, Database, Durability, Tx } from "../database.ts";
import { postgresDialect } from "../dialect.ts";
import { adviceOn } from "../fault.ts";
import { createListeners } from "../listeners.ts";
import { insertArrivals, recordArrivals } from "./arrivals.ts";
import { CHANNEL_PREFIX, openListener } from "./listener.ts";
import { migratePostgres } from "./migrate.ts";
import { openPool, queries, STATEMENT_TIMEOUT_MS } from "./pool.ts";
import { insertRows, insertSplit, statementsOn, updateRows } from "./rows.ts";
import * as tables from "./tables.ts";
import { placeOf } from "./url.ts";

interface PostgresOptions {
  readonly url: string;
  /** For `LISTEN` and migrations, which a transaction pooler cannot carry. */
  readonly directUrl?: string | undefined;
  /** Behind PgBouncer in transaction mode prepared statements have no connection to live on. */
  readonly pooler?: "transaction" | undefined;
  readonly maxConnections?: number;
}

/**
 * How long the driver waits before it connects again, after so many failures in a row. Whoever asks meanwhile waits
 * with it, and the driver's own would keep them for up to twenty seconds.
 */
const reconnectAfterSeconds = (failures: number) =>
  (0.5 + Math.random() / 2) * Math.min(3 ** failures / 100, 0.5);

const CLOCK_TIMEOUT_MS = 2_000;

/**
 * The server's own limits, in milliseconds, for statements that wait for ever and for transactions whose client is
 * gone. Nothing of ours takes so long but migrations, which have none.
 */
const SERVER_LIMITS = {
  statement_timeout: STATEMENT_TIMEOUT_MS,
  idle_in_transaction_session_timeout: 60_000,
};

/** What is kept of a statement must not be its plan: an outbox that was empty a minute ago may be full. */
const FRESH_PLANS = "set local plan_cache_mode = force_custom_plan";
/**
 * For leases and outcomes, a thousand rows by their ids, which lie in memory: Postgres reckons with disks that turn, and
 * would read a table of some ten thousand rows through instead, at three times the cost.
 */
const CHEAP_LOOKUPS = "set local random_page_cost = 1.1";
const TRANSACTION_SETTINGS: Readonly<Record<Durability, string>> = {
  full: FRESH_PLANS,
  relaxed: `set local synchronous_commit = off; ${FRESH_PLANS}; ${CHEAP_LOOKUPS}`,
};

/**
 * What a server or a role may have set otherwise, and our statements go by. PgBouncer takes these from us; any other, even
 * from those who listen and migrate, for whom its session mode is good enough, it may refuse. In the server's own words, or
 * it would set them anew for every transaction.
 */
const CONNECTION = { application_name: "ponte", DateStyle: "ISO, MDY", standard_conforming_strings: "on" };
/** Our transactions wait for each other by locks; under a stricter rule they would fail each other instead. */
const READ_COMMITTED = "read committed" as const;

function connect(given: string, own: postgres.Options<Record<string, never>>): postgres.Sql {
  const { url, ...server } = placeOf(given);
  return postgres(url, {
    onnotice: () => undefined,
    connect_timeout: 5,
    backoff: reconnectAfterSeconds,
    // Arrays go out as text that is ready made, and none comes back; and a server that dies while the driver asks for
    // their types ends the process.
    fetch_types: false,
    connection: CONNECTION,
    ...server,
    ...own,
  });
}

/**
 * What work in a transaction may do on its connection.
 *
 * @param woken gathers whom to wake after the commit
 */
function txOn(
  connection: postgres.TransactionSql,
  { prepare, nowMs, woken }: { prepare: boolean; nowMs: () => number; woken: Set<Channel> },
): Tx {
  const { builder, reader } = queries(connection);
  const run = statementsOn(connection, prepare);
  return {
    ...reader,
    insert: builder.insert.bind(builder),
    update: builder.update.bind(builder),
    delete: builder.delete.bind(builder),
    insertMany: (table, key, rows) => insertRows(run, table, key, rows),
    insertSplit: (table, rows) => insertSplit(run, table, rows),
    updateMany: (table, keys, rows) => updateRows(run, table, keys, rows),
    async insertArrivals(arrivals) {
      await insertArrivals(run, arrivals);
      if (arrivals.wakes) woken.add(arrivals.wakes);
    },
    async notify(channel) {
      if (woken.has(channel)) return;
      woken.add(channel);
      await connection`select pg_notify(${CHANNEL_PREFIX + channel}, '')`;
    },
    nowMs,
  };
}

/** Opens a pool of connections to Postgres; connecting happens at the first query. */
export function openPostgres(options: PostgresOptions): Database {
  const prepare = options.pooler !== "transaction";
  // Behind PgBouncer the rest is the role's.
  const rest = { ...SERVER_LIMITS, default_transaction_isolation: READ_COMMITTED };
  const connection = prepare ? { ...CONNECTION, ...rest } : CONNECTION;
  const pool = openPool(() =>
    connect(options.url, {
      connection,
      max: options.maxConnections ?? 10,
      prepare,
      // PgBouncer (1.18) gives a connection back after a query's answer, though half of the next one was sent on it
      // already: what came back of that half is dropped, and whoever asked waits for ever. So nothing is sent ahead.
      ...(prepare ? {} : { max_pipeline: 0 }),
    }),
  );
  const directUrl = options.directUrl ?? options.url;
  const listeners = createListeners();
  const clock = createClock(async () => {
    const asked = pool.client`select extract(epoch from clock_timestamp())::float8 * 1000 as ms`;
    // Every transaction waits for the first measurement.
    const [row] = await withDeadline(asked, CLOCK_TIMEOUT_MS);
    return Number(row?.ms);
  });
  const listener = openListener(() => connect(directUrl, { max: 1 }), listeners);

  async function transaction<T>(work: (tx: Tx) => Promise<T>, durability: Durability = "full"): Promise<T> {
    const woken = new Set<Channel>();
    await clock.ready();
    const { client } = pool;
    const result = await client.begin(`isolation level ${READ_COMMITTED}`, async (bare) => {
      // Drizzle looks for the client's options, which `postgres` leaves off a transaction's connection.
      const connection = Object.assign(bare, { options: client.options });
      const tx = txOn(connection, { prepare, nowMs: clock.nowMs, woken });
      // Goes along with the first statement of the work: only a pooler makes it a round trip of its own.
      const settings = connection.unsafe(TRANSACTION_SETTINGS[durability]).execute();
      const [value] = await Promise.all([work(tx), settings]);
      return { value };
    });
    for (const channel of woken) listeners.wake(channel);
    return result.value;
  }

  return {
    get select() {
      return pool.reader.select;
    },
    get selectDistinct() {
      return pool.reader.selectDistinct;
    },
    get $count() {
      return pool.reader.$count;
    },
    get rows() {
      return pool.reader.rows;
    },
    dialect: postgresDialect,
    tables,
    transaction,
    arrivalsAtOnce: 2,
    async recordArrivals(work) {
      await clock.ready();
      // One statement is a transaction by itself.
      await work({
        async insertArrivals(arrivals) {
          await recordArrivals(statementsOn(pool.client, prepare), arrivals);
          if (arrivals.wakes) listeners.wake(arrivals.wakes);
        },
        nowMs: clock.nowMs,
      });
    },
    writeElsewhere: null,
    listen(channel, wake) {
      listener.add(channel);
      return listeners.add(channel, wake);
    },
    // The driver also looks at PGUSER and the system's user, so it knows whom it logs in as.
    advice: (error) => adviceOn(error, { user: String(pool.client.options.user), tables }),
    renewConnections() {
      if (pool.renew()) listener.renew();
    },
    async migrate() {
      const client = connect(directUrl, { max: 1 });
      // Ending the session also gives the advisory lock back.
      await migratePostgres(client).finally(() => client.end({ timeout: 5 }));
    },
    async close() {
      await Promise.all([pool.close(), listener.close()]);
    },
  };
}
