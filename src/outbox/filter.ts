import { and, eq, gte, lt, type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import type { Destination, OutboxStatus } from "../db/vocabulary.ts";

/** Which outbox rows; what is left out matches all. */
export interface OutboxFilter {
  readonly destination?: Destination | undefined;
  readonly status?: OutboxStatus | undefined;
  /** The pool's slug. One that nobody has matches nothing. */
  readonly pool?: string | undefined;
  readonly route?: string | undefined;
  readonly eventName?: string | undefined;
  readonly eventId?: string | undefined;
  readonly trackingToken?: string | undefined;
  readonly paymentId?: string | undefined;
  /** Found in the event id or in the last error, in any case of letters. */
  readonly text?: string | undefined;
  /** Written down (`created_at`) at or after this instant … */
  readonly after?: Date | undefined;
  /** … and before this one. */
  readonly before?: Date | undefined;
}

/** A status written out in the statement: the partial indexes are only searched for one that the planner can read. */
export function statusLiteral(status: OutboxStatus): SQL {
  return sql.raw(`'${status}'`);
}

/**
 * Rows of one status, by the partial index that has them. SQLite takes that of what ended badly only where the index's
 * own condition stands there too, word for word.
 */
export function hasStatus(
  { status: column }: Tables["outbox"] | Tables["outboxProgress"],
  status: OutboxStatus,
): SQL {
  const is = sql`${column} = ${statusLiteral(status)}`;
  const isTroubled = status === "dead" || status === "expired" || status === "discarded";
  return isTroubled ? sql`(${column} in ('dead', 'expired', 'discarded') and ${is})` : is;
}

/** The filter as a condition on the outbox; undefined where it matches all. */
export function filterCondition(db: Database, filter: OutboxFilter): SQL | undefined {
  const { outbox, pools } = db.tables;
  return and(
    given(filter.destination, (destination) => eq(outbox.destination, destination)),
    given(filter.status, (status) => hasStatus(outbox, status)),
    given(
      filter.pool,
      (slug) => sql`${outbox.poolId} = (select p.id from ${pools} p where p.slug = ${slug})`,
    ),
    given(filter.route, (route) => eq(outbox.route, route)),
    given(filter.eventName, (name) => eq(outbox.eventName, name)),
    given(filter.eventId, (id) => isOfEvents(db, sql`e.event_id = ${id}`)),
    given(filter.trackingToken, (token) => isOfEvents(db, sql`e.tracking_token = ${token}`)),
    given(filter.paymentId, (id) => isOfEvents(db, sql`e.payment_id = ${id}`)),
    given(filter.text, (text) => containsText(db, text)),
    given(filter.after, (date) => gte(outbox.createdAt, date)),
    given(filter.before, (date) => lt(outbox.createdAt, date)),
  );
}

function given<T>(value: T | undefined, condition: (value: T) => SQL): SQL | undefined {
  return value === undefined ? undefined : condition(value);
}

/** Found in the events' own table, by its indexes: through the view, Postgres may join both tables whole. */
function isOfEvents({ dialect, tables: { outbox, outboxEvents } }: Database, condition: SQL): SQL {
  return dialect.idAmong(sql`${outbox.id}`, sql`select e.id from ${outboxEvents} e where ${condition}`);
}

function containsText({ tables: { outbox } }: Database, text: string): SQL {
  const pattern = `%${text.replace(/[\\%_]/g, "\\$&")}%`;
  const holds = (column: SQL) => sql`lower(${column}) like lower(${pattern}) escape '\\'`;
  return sql`(${holds(sql`${outbox.eventId}`)} or ${holds(sql`${outbox.lastError}`)})`;
}
