import type { Sql } from "postgres";
import { despiteDeadlock } from "../despite-deadlock.ts";
import {
  MIGRATIONS_TABLE,
  type MigrationPlan,
  migrationPlan,
  OPERATOR_VIEWS,
  refuseNewer,
  VIEWS_KEY,
} from "../migration-plan.ts";

/** Any number, as long as every Ponte that migrates the same database takes the same lock. */
const MIGRATION_LOCK = 7_066_838_301;
/** How long somebody else may be migrating. */
const LOCK_TIMEOUT_MS = 60_000;
const LOCK_EVERY_MS = 100;

/**
 * Applies what is missing, and makes the views anew where they changed. The lock is held until the client's only
 * connection is closed; where nothing is missing, none is taken.
 *
 * @throws Error, before anything is touched, where the lock is not to be had, views of somebody else's stand in the way, a
 *   newer version made the database what it is, or a new one is of another language
 */
export async function migratePostgres(client: Sql, lockTimeoutMs = LOCK_TIMEOUT_MS): Promise<void> {
  const plan = migrationPlan("postgres");
  const hasTables = async () => {
    const applied = await appliedUpTo(client);
    refuseNewer(applied, plan.latest);
    return applied === plan.latest;
  };
  const hasViews = async () => (await viewsDigest(client)) === plan.viewsDigest;
  if ((await hasTables()) && (await hasViews())) return;
  await takeLock(client, lockTimeoutMs);
  if ((await appliedUpTo(client)) === 0) {
    await refuseForeignLetters(client);
    await refuseForeignOrder(client);
  }
  const isMigrated = await hasTables();
  if (isMigrated && (await hasViews())) return;
  await refuseForeignViews(client);
  // A view made anew forgets who was let at it, and a migration may drop one, or make one of a table.
  const grants = await grantsOnViews(client);
  // Whoever reads while tables are changed may hold what we want and want what we hold.
  if (!isMigrated) await despiteDeadlock(() => applyMissing(client, plan.migrations));
  if (await hasViews()) return;
  await despiteDeadlock(() =>
    client.begin(async (tx) => {
      await tx.unsafe(plan.views);
      for (const grant of grants) await tx.unsafe(grant);
      await tx`insert into settings (key, value, updated_at) values (${VIEWS_KEY}, ${plan.viewsDigest}, now())
        on conflict (key) do update set value = excluded.value, updated_at = excluded.updated_at`;
    }),
  );
}

/** Asked for again and again: who waits for it inside the database waits for ever. */
async function takeLock(client: Sql, timeoutMs: number): Promise<void> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const [row] = await client<{ taken: boolean }[]>`select pg_try_advisory_lock(${MIGRATION_LOCK}) as taken`;
    if (row?.taken) return;
    if (performance.now() > until) {
      throw new Error(
        "another session has held the lock for migrations too long. If no Ponte is migrating this database, a pooler kept the session: see select pid from pg_locks where locktype = 'advisory', end it, and let DATABASE_DIRECT_URL lead past the pooler.",
      );
    }
    await Bun.sleep(LOCK_EVERY_MS);
  }
}

/** The newest migration that this database has; 0 where it has none. Asks first, so that no DDL right is needed. */
async function appliedUpTo(client: Sql): Promise<number> {
  const [found] = await client`select to_regclass(${MIGRATIONS_TABLE}) is not null as yes`;
  if (!found?.yes) return 0;
  const [row] =
    await client`select coalesce(max(created_at), 0)::float8 as latest from ${client(MIGRATIONS_TABLE)}`;
  return Number(row?.latest ?? 0);
}

/**
 * Drizzle's migrator would ask for the schema each time, and with it for a right on the whole database, which a managed
 * Postgres may not give. What is written down is the same.
 */
async function applyMissing(client: Sql, migrations: MigrationPlan["migrations"]): Promise<void> {
  const applied = await appliedUpTo(client);
  const missing = migrations.filter(({ folderMillis }) => folderMillis > applied);
  await client.begin(async (tx) => {
    const table = tx(`public.${MIGRATIONS_TABLE}`);
    await tx`create table if not exists ${table} (id serial primary key, hash text not null, created_at bigint)`;
    for (const { sql, hash, folderMillis } of missing) {
      for (const statement of sql) await tx.unsafe(statement);
      await tx`insert into ${table} (hash, created_at) values (${hash}, ${folderMillis})`;
    }
  });
}

async function viewsDigest(client: Sql): Promise<string | undefined> {
  const [row] = await client<{ value: string }[]>`select value from settings where key = ${VIEWS_KEY}`;
  return row?.value;
}

/** A new database must keep what people write: a visit with a letter that it lacks would never come in. */
async function refuseForeignLetters(client: Sql): Promise<void> {
  const [row] = await client<{ encoding: string }[]>`select current_setting('server_encoding') as encoding`;
  if (row?.encoding === "UTF8") return;
  throw new Error(
    `this database keeps text as ${row?.encoding}, which lacks letters that people write. Make it anew: create database ponte template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'.`,
  );
}

/**
 * A new database must sort hexadecimal digits as they count. Tokens begin with their time and are looked up by it: in
 * Danish, where aa comes after z, an hour would miss some of its visits.
 */
async function refuseForeignOrder(client: Sql): Promise<void> {
  const [ids] = await client<{ areInOrder: boolean }[]>`
    with ids as (select n, lpad(to_hex(n), 3, '0') as id from generate_series(0, 4095) n)
    select array_agg(id order by n) = array_agg(id order by id) as "areInOrder" from ids`;
  if (ids?.areInOrder) return;
  throw new Error(
    "this database sorts text by the rules of a language in which identifiers are not in the order of their time (Danish, for one, puts aa after z). Make it anew: create database ponte template template0 lc_collate 'C'; where the server's own rules are ICU's, with locale_provider libc besides.",
  );
}

/** Views on ours could not be kept when ours are made anew; `outbox` is replaced, which they outlive, once it is a view. */
async function refuseForeignViews(client: Sql): Promise<void> {
  const foreign = await client<{ name: string; ours: string }[]>`
    select distinct foreign_view.oid::regclass::text as name, ours.relname as ours
    from pg_depend
    join pg_rewrite on pg_rewrite.oid = pg_depend.objid and pg_depend.classid = 'pg_rewrite'::regclass
    join pg_class foreign_view on foreign_view.oid = pg_rewrite.ev_class
    join pg_class ours on ours.oid = pg_depend.refobjid and pg_depend.refclassid = 'pg_class'::regclass
    where ours.relnamespace = 'public'::regnamespace and ours.relname in ${client(OPERATOR_VIEWS)}
      and not (ours.relname = 'outbox' and ours.relkind = 'v')
      and not (foreign_view.relnamespace = ours.relnamespace and foreign_view.relname in ${client(OPERATOR_VIEWS)})
    order by 1`;
  if (foreign.length === 0) return;
  const list = foreign.map(({ name, ours }) => `${name} (on ${ours})`).join(", ");
  throw new Error(
    `the database cannot be brought up to date while views of your own stand on Ponte's: ${list}. Drop them, run "ponte migrate", and make them again.`,
  );
}

async function grantsOnViews(client: Sql): Promise<string[]> {
  const rows = await client<{ grant: string }[]>`
    select format('grant %s on %I to %s', privilege_type, table_name,
      case when grantee = 'PUBLIC' then 'public' else quote_ident(grantee) end) as grant
    from information_schema.role_table_grants
    where table_schema = 'public' and table_name in ${client(OPERATOR_VIEWS)} and grantee <> current_user
      and privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')`;
  return rows.map(({ grant }) => grant);
}
