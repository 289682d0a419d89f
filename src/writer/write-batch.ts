import { recordCookies } from "../cookies/record-cookies.ts";
import type { BrowserReport } from "../cookies/report.ts";
import type { Database } from "../db/database.ts";
import { despiteDeadlock } from "../db/despite-deadlock.ts";
import { recordVisits } from "../redirect/record-visits.ts";
import type { VisitRecord } from "../redirect/visit-record.ts";

/** What is written together, in one transaction. */
export type Batch =
  | { readonly kind: "visits"; readonly visits: readonly VisitRecord[] }
  | { readonly kind: "cookies"; readonly reports: readonly BrowserReport[] };

/** Resolves when the batch is committed. @throws what the database said, with its code */
export async function writeBatch(db: Database, batch: Batch): Promise<void> {
  switch (batch.kind) {
    case "visits":
      if (batch.visits.length > 0) {
        await db.recordArrivals((writer) => recordVisits(writer, db.tables, batch.visits));
      } else {
        // No visits: whether this connection is answered on.
        await db.select({ id: db.tables.pools.id }).from(db.tables.pools).limit(1);
      }
      return;
    case "cookies":
      await despiteDeadlock(() => db.transaction((tx) => recordCookies(tx, db, batch.reports)));
  }
}
