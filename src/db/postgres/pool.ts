import type { SQL } from "drizzle-orm";
import { drizzle } from "drizzle-orm/postgres-js";
import type { Sql, TransactionSql } from "postgres";
import type { QueryBuilder, Reader } from "../database.ts";
import { fillPlaceholders, memoized, type PlaceholderValues } from "../prepared-statement.ts";
import { pgDialect } from "./rows.ts";

/** The server's limit, in milliseconds, for a statement of ours (see `SERVER_LIMITS`). */
export const STATEMENT_TIMEOUT_MS = 60_000;
/** What still runs on connections that are left behind may go on for so long. */
const LEFT_BEHIND_MS = 10_000;
/**
 * A backend that waits for a lock does not notice that its client is gone: left behind, it is one of the server's
 * connections until its statement times out. So long there is no third pool beside the two.
 */
const RENEW_EVERY_MS = LEFT_BEHIND_MS + STATEMENT_TIMEOUT_MS;

/** A pool of connections that can be left behind for a new one. */
interface ConnectionPool {
  readonly client: Sql;
  readonly reader: Reader;
  /**
   * Opens a new pool; the old one ends when its work does, or soon. Answers false where the last one may still have
   * connections on the server: a database that is slow or locked is not helped by more of them.
   */
  renew(): boolean;
  close(): Promise<void>;
}

/**
 * A connection over which nothing comes any more (its server's machine is gone, a firewall forgot it) looks to the
 * driver like one whose answer takes long, and keeps its place in the pool until the system gives up on it: a quarter
 * of an hour. New connections are the way out.
 */
export function openPool(connect: () => Sql, nowMs = () => performance.now()): ConnectionPool {
  let current = withReader(connect());
  let renewedAt = Number.NEGATIVE_INFINITY;
  return {
    get client() {
      return current.client;
    },
    get reader() {
      return current.reader;
    },
    renew() {
      if (nowMs() - renewedAt < RENEW_EVERY_MS) return false;
      renewedAt = nowMs();
      current.client.end({ timeout: LEFT_BEHIND_MS / 1000 }).catch(() => undefined);
      current = withReader(connect());
      return true;
    },
    close: () => current.client.end({ timeout: 5 }),
  };
}

function withReader(client: Sql) {
  return { client, reader: queries(client).reader };
}

/** What can be asked over a connection, or over any of a pool. */
export function queries(connection: Sql | TransactionSql): { builder: QueryBuilder; reader: Reader } {
  // Drizzle's type asks for a pool; a transaction's connection has every method that it calls.
  const builder = drizzle({ client: connection as Sql, casing: "snake_case" });
  return {
    builder,
    reader: {
      select: builder.select.bind(builder),
      selectDistinct: builder.selectDistinct.bind(builder),
      $count: builder.$count.bind(builder),
      // Drizzle says `unknown` of what it has encoded for this driver, and `T` is the caller's word for the rows.
      rows: async <T>(statement: SQL, values?: PlaceholderValues) => {
        const { sql: text, params } = values ? preparedQuery(statement) : pgDialect.sqlToQuery(statement);
        const parameters = values ? fillPlaceholders(params, values) : params;
        const rows = await connection.unsafe(text, parameters as never[], { prepare: values !== undefined });
        return [...rows] as unknown[] as T[];
      },
    },
  };
}

/** A prepared statement's text, made once; its name on each connection is the driver's business. */
const preparedQuery = memoized((statement: SQL) => pgDialect.sqlToQuery(statement));
