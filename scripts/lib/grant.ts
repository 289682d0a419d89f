import { getTableName } from "drizzle-orm";
import postgres, { type Sql } from "postgres";
import { failureText } from "../../src/cli/failure.ts";
import { readConfig } from "../../src/config.ts";
import { tablesOf } from "../../src/db/define-schema.ts";
import { isForbidden } from "../../src/db/fault.ts";
import { grantStatements, quoted, rightsOn } from "../../src/db/grants.ts";
import { MIGRATIONS_TABLE, OPERATOR_VIEWS } from "../../src/db/migration-plan.ts";
import * as tables from "../../src/db/postgres/tables.ts";
import { placeOf } from "../../src/db/postgres/url.ts";

/** `grant_meta_tracking_sessions.sh`'s work. argv: the app's user, and perhaps --print; the URL is in DATABASE_URL. */

/** What stops the work, in words for whoever runs it. */
class Stop extends Error {}

async function main([user = "", print]: readonly string[], url: string): Promise<void> {
  const { database } = readConfig({ DATABASE_URL: url });
  const { url: address, ...server } = placeOf(database.url);
  const client = postgres(address, { ...server, max: 1, onnotice: () => undefined, connect_timeout: 10 });
  try {
    if (print !== undefined) {
      console.log(grantStatements(user, String(client.options.database), tables).join("\n"));
      return;
    }
    await check(client, user);
    const statements = grantStatements(user, String(client.options.database), tables);
    await client
      .begin(async (tx) => {
        for (const statement of statements) await tx.unsafe(statement);
      })
      .catch((error) => {
        throw isForbidden(error) ? mayNotGrant(`these rights (${error.message})`) : error;
      });
    await verify(client, user);
    console.log(`"${user}" may do what Ponte needs (${statements.length} grants).`);
    for (const warning of await excess(client, user)) console.error(`! ${warning}`);
  } finally {
    await client.end({ timeout: 5 });
  }
}

async function check(client: Sql, user: string): Promise<void> {
  const [role] = await client`select 1 from pg_roles where rolname = ${user}`;
  if (!role) {
    throw new Stop(`There is no user "${user}". Make it: CREATE ROLE ${quoted(user)} LOGIN PASSWORD '…';`);
  }
  const names = [
    ...tablesOf(tables).map((table) => getTableName(table)),
    ...OPERATOR_VIEWS,
    MIGRATIONS_TABLE,
  ];
  const missing = await client<{ name: string }[]>`
    select name from unnest(${names}::text[]) name where to_regclass('public.' || name) is null`;
  if (missing.length > 0) {
    const list = missing.map(({ name }) => name).join(", ");
    throw new Stop(
      `The database lacks ${list}. First run: scripts/create_meta_tracking_sessions.sh <privileged postgres url>`,
    );
  }
}

/** Where the grantor may not grant what they have themselves, Postgres only warns, so the rights themselves are looked at. */
async function verify(client: Sql, user: string): Promise<void> {
  const wanted = tablesOf(tables).flatMap((table) => {
    const name = getTableName(table);
    return rightsOn(name).map((right) => ({ name, right }));
  });
  const missing = await client<{ name: string; right: string }[]>`
    select name, "right" from unnest(
      ${wanted.map(({ name }) => name)}::text[], ${wanted.map(({ right }) => right)}::text[]
    ) wanted(name, "right")
    where not has_table_privilege(${user}, 'public.' || name, "right")
    union all
    select name, 'SELECT' from unnest(${[...OPERATOR_VIEWS, MIGRATIONS_TABLE]}::text[]) name
    where not has_table_privilege(${user}, 'public.' || name, 'SELECT')`;
  if (missing.length > 0) {
    const list = missing.map(({ name, right }) => `${right} ON ${name}`).join(", ");
    throw mayNotGrant(list);
  }
}

function mayNotGrant(rights: string): Stop {
  return new Stop(`The URL's user may not grant ${rights}. Use the URL of the user that owns the tables.`);
}

/** Rights that the user has from elsewhere and Ponte has no use for. They are not ours to take away. */
async function excess(client: Sql, user: string): Promise<string[]> {
  const [found] = await client<{ isSuper: boolean; mayCreate: boolean; owns: boolean }[]>`
    select rolsuper as "isSuper", has_schema_privilege(${user}, 'public', 'CREATE') as "mayCreate",
      exists (select 1 from pg_tables where schemaname = 'public' and tableowner = ${user}) as owns
    from pg_roles where rolname = ${user}`;
  if (found?.isSuper)
    return [`"${user}" is a superuser: it may do everything. Give Ponte a user of its own.`];
  return [
    ...(found?.mayCreate
      ? [
          `"${user}" may make tables in schema public. To end that: REVOKE CREATE ON SCHEMA public FROM PUBLIC, ${quoted(user)};`,
        ]
      : []),
    ...(found?.owns
      ? [`"${user}" owns tables in schema public, and may therefore change and drop them.`]
      : []),
  ];
}

main(process.argv.slice(2), process.env.DATABASE_URL ?? "").catch((error) => {
  console.error(`✗ ${error instanceof Stop ? error.message : failureText(error, process.env)}`);
  process.exit(1);
});
