import { desc } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";

/** What the audit log was told last; undefined where it is empty. */
export async function lastAudit(db: Database) {
  const { auditLog } = db.tables;
  const [entry] = await db.select().from(auditLog).orderBy(desc(auditLog.id)).limit(1);
  return entry;
}
