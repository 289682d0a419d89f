import { type SQL, sql } from "drizzle-orm";
import type { Database, RawNumber, Tx } from "../db/database.ts";
import type { Dialect } from "../db/dialect.ts";
import { type PlaceholderValues, preparedStatement } from "../db/prepared-statement.ts";
import type { ClaimedRow, FinalCause } from "./destination.ts";

const value = sql.placeholder;

/** How rows leave a lease. */
export type Settlement =
  | { readonly kind: "delivered"; readonly fbtraceId: string | null; readonly note: string | null }
  | {
      readonly kind: "dead" | "expired" | "discarded";
      readonly fbtraceId: string | null;
      readonly reason: string;
      readonly because?: FinalCause | undefined;
    }
  /** Tried in vain: back to waiting, for as long as `afterMs` says of a row's attempts. */
  | {
      readonly kind: "retry";
      readonly afterMs: (attempts: number) => number;
      readonly fbtraceId: string | null;
      readonly reason: string;
    }
  /** Given back as they were: the attempt does not count, and without `afterMs` they are due when they were due. */
  | { readonly kind: "released"; readonly afterMs: number | null; readonly reason: string | null };

/** Settles rows that are still under the lease; others' rows are left alone. Answers the ids that it settled. */
export async function settle(
  tx: Tx,
  db: Database,
  leaseId: string,
  rows: readonly ClaimedRow[],
  settlement: Settlement,
): Promise<number[]> {
  switch (settlement.kind) {
    case "delivered": {
      const { fbtraceId, note } = settlement;
      return leave(tx, db, DELIVERED, rows, { leaseId, fbtraceId, note });
    }
    case "dead":
    case "expired":
    case "discarded": {
      const { kind, fbtraceId, reason } = settlement;
      return leave(tx, db, ENDED, rows, { leaseId, kind, fbtraceId, reason });
    }
    case "retry": {
      const { afterMs, fbtraceId, reason } = settlement;
      const settled: number[] = [];
      // Rows of one age stay together, so that they go as one batch again.
      for (const [attempts, peers] of Map.groupBy(rows, (row) => row.attempts)) {
        const values = { leaseId, afterMs: afterMs(attempts), fbtraceId, reason };
        settled.push(...(await leave(tx, db, RETRIED, peers, values)));
      }
      return settled;
    }
    case "released": {
      const { afterMs, reason } = settlement;
      return leave(tx, db, RELEASED, rows, { leaseId, afterMs, reason });
    }
  }
}

async function leave(
  tx: Tx,
  { dialect }: Database,
  statement: (dialect: Dialect) => SQL,
  rows: readonly ClaimedRow[],
  values: PlaceholderValues,
): Promise<number[]> {
  const ids = dialect.idList(rows.map(({ id }) => id));
  const left = await tx.rows<{ id: RawNumber }>(statement(dialect), { ...values, ids });
  return left.map(({ id }) => Number(id));
}

/** Takes rows out of a lease, where they are still under it. */
function leaving(set: (dialect: Dialect) => SQL): (dialect: Dialect) => SQL {
  return preparedStatement(
    (dialect) => sql`
      update outbox_progress set ${set(dialect)}, lease_id = null, lease_until = null
      where ${dialect.anyId(sql`id`, value("ids"))} and lease_id = ${value("leaseId")} returning id`,
  );
}

const DELIVERED = leaving(
  ({ now }) => sql`status = 'delivered', delivered_at = ${now}, fbtrace_id = ${value("fbtraceId")},
    last_error = ${value("note")}`,
);
const ENDED = leaving(
  () => sql`status = ${value("kind")}, fbtrace_id = ${value("fbtraceId")}, last_error = ${value("reason")}`,
);
const RETRIED = leaving(
  ({ now, plusMs }) => sql`status = 'pending', available_at = ${plusMs(now, value("afterMs"))},
    fbtrace_id = ${value("fbtraceId")}, last_error = ${value("reason")}`,
);
const RELEASED = leaving(({ now, plusMs }) => {
  const at = plusMs(now, value("afterMs"));
  return sql`status = 'pending', available_at = coalesce(${at}, available_at), attempts = attempts - 1,
    last_error = coalesce(${value("reason")}, last_error)`;
});
