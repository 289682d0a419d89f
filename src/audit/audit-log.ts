import { desc, lt } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { type AskedPage, pageOf } from "../platform/pagination.ts";

/** Something that was done, by an operator for the most part. Secrets never come in here: callers hand over views. */
interface AuditEntry {
  readonly at: Date;
  /** `cli`, `console` or `api:<key name>`; or what did it by itself, such as `bot health`. */
  readonly actor: string;
  /** e.g. `pool.update`. */
  readonly action: string;
  /** e.g. `pool:summer`. */
  readonly subject: string;
  readonly before?: object | null;
  readonly after?: object | null;
}

/** Writes an operator's action down, inside the transaction that carries it out. */
export async function recordAudit(tx: Tx, tables: Tables, entry: AuditEntry): Promise<void> {
  await tx
    .insert(tables.auditLog)
    .values({ ...entry, before: entry.before ?? null, after: entry.after ?? null });
}

/** What operators did, newest first. */
export async function listAudit(db: Database, { cursor, limit }: AskedPage) {
  const { auditLog } = db.tables;
  const rows = await db
    .select()
    .from(auditLog)
    .where(cursor === undefined ? undefined : lt(auditLog.id, cursor))
    .orderBy(desc(auditLog.id))
    .limit(limit + 1);
  return pageOf(rows, limit, ({ id }) => id);
}

const CHANGED_ANYWAY: ReadonlySet<string> = new Set(["updated_at", "total_redirects"]);

/** What differs between two views, as it was and as it is. Of the secrets in `sealed`, by name, only that they are new. */
export function viewChanges<T extends object>(
  before: T,
  after: T,
  sealed: Readonly<Record<string, string | null | undefined>> = {},
): { before: object; after: object } {
  const was = new Map(Object.entries(before));
  const changed = Object.entries(after).filter(
    ([key, value]) => !CHANGED_ANYWAY.has(key) && JSON.stringify(value) !== JSON.stringify(was.get(key)),
  );
  const renewed = Object.keys(sealed).filter((name) => sealed[name]);
  return {
    before: Object.fromEntries(changed.map(([key]) => [key, was.get(key)])),
    after: Object.fromEntries([...changed, ...renewed.map((name) => [name, "[changed]"])]),
  };
}
