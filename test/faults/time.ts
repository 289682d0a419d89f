import { sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import { ageLedger, type Ledger } from "./ledger.ts";

const HOUR_MS = 3_600_000;

/** What happened, and when it is to go on: the columns that time passing means something to. */
const INSTANTS: Readonly<Record<string, readonly string[]>> = {
  meta_tracking_sessions: ["pageview_ts", "pageview_sent_at", "click_ts", "created_at", "updated_at"],
  payments: ["paid_at", "meta_purchase_sent_at", "created_at", "updated_at"],
  outbox: ["available_at", "lease_until", "created_at", "delivered_at"],
  outbox_routes: ["paused_at", "throttled_until", "open_until", "updated_at"],
  outbox_attempts: ["started_at"],
};

/**
 * Lets hours pass at once: all that was recorded and promised moves into the past, and all that waits comes so much
 * nearer. To be called while nobody visits.
 */
export async function passHours(db: Database, ledger: Ledger, hours: number): Promise<void> {
  const { plusMs } = db.dialect;
  const ms = hours * HOUR_MS;
  await db.transaction(async (tx) => {
    for (const [table, columns] of Object.entries(INSTANTS)) {
      const sets = columns.map((column) => sql`${sql.raw(column)} = ${plusMs(sql.raw(column), -ms)}`);
      await tx.rows(sql`update ${sql.raw(table)} set ${sql.join(sets, sql`, `)} returning 1 as one`);
    }
    await tx.rows(sql`update outbox set payload = ${earlierEvent(db, ms / 1000)} returning 1 as one`);
  });
  ageLedger(ledger, ms);
}

/** The event as it would have been written so many seconds ago. */
function earlierEvent({ dialect }: Database, seconds: number) {
  return dialect.name === "sqlite"
    ? sql`json_set(payload, '$.event_time', json_extract(payload, '$.event_time') - ${seconds})`
    : sql`jsonb_set(payload::jsonb, '{event_time}', to_jsonb((payload->>'event_time')::bigint - ${seconds}::bigint))::json`;
}
