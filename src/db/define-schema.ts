import { is, Table } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import type { Kit } from "./postgres/kit.ts";
import { operatorTables } from "./schema/operators.ts";
import { outboxTables } from "./schema/outbox.ts";
import { paymentTables } from "./schema/payments.ts";
import { poolTables } from "./schema/pools.ts";
import { rollupTables } from "./schema/rollups.ts";
import { visitorTables } from "./schema/visitors.ts";

/**
 * Every table, once, for both databases: `kit` brings the dialect's builders. Columns take their SQL name from
 * the key (drizzle's `casing: "snake_case"`), so a row reads `trackingToken` and SQL says `tracking_token`.
 */
export function defineSchema(kit: Kit) {
  const pools = poolTables(kit);
  return {
    ...pools,
    ...visitorTables(kit, pools),
    ...paymentTables(kit),
    ...outboxTables(kit),
    ...rollupTables(kit),
    ...operatorTables(kit),
  };
}

/** Every table by its name in code, and the view of events as one table. */
export type Tables = ReturnType<typeof defineSchema>;

/** The tables alone. */
export function tablesOf(schema: Tables): PgTable[] {
  return Object.values(schema).filter((relation) => is(relation, Table));
}
