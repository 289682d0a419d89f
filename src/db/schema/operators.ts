import { sql } from "drizzle-orm";
import type { Kit } from "../postgres/kit.ts";
import type { KeyScope } from "../vocabulary.ts";

/** Who may change things, and who did. */
export function operatorTables(kit: Kit) {
  const { table, index, uniqueIndex, rowId, text, instant, json } = kit;

  const auditLog = table(
    "audit_log",
    {
      id: rowId(),
      at: instant().notNull(),
      actor: text().notNull(),
      action: text().notNull(),
      subject: text().notNull(),
      before: json(),
      after: json(),
    },
    (t) => [index("audit_log_at_idx").on(t.at)],
  );

  const apiKeys = table(
    "api_keys",
    {
      id: rowId(),
      name: text().notNull(),
      /** SHA-256 of the key; the key itself is shown once. */
      keyHash: text().notNull(),
      hint: text().notNull(),
      scope: text().$type<KeyScope>().notNull(),
      /** The console's form that made it, which makes no other one however often it is sent. */
      formId: text(),
      createdAt: instant().notNull(),
      lastUsedAt: instant(),
      revokedAt: instant(),
    },
    (t) => [
      uniqueIndex("api_keys_hash_unique").on(t.keyHash),
      uniqueIndex("api_keys_form_unique").on(t.formId),
      // The audit log tells keys by their names.
      uniqueIndex("api_keys_live_name_unique").on(t.name).where(sql`revoked_at is null`),
    ],
  );

  const operatorSessions = table(
    "operator_sessions",
    {
      id: rowId(),
      /** SHA-256 of the cookie's value. */
      sessionHash: text().notNull(),
      csrfToken: text().notNull(),
      createdAt: instant().notNull(),
      expiresAt: instant().notNull(),
    },
    (t) => [uniqueIndex("operator_sessions_hash_unique").on(t.sessionHash)],
  );

  /** Small facts of the installation itself, such as the operator's password hash. */
  const settings = table("settings", {
    key: text().primaryKey(),
    value: text().notNull(),
    updatedAt: instant().notNull(),
  });

  return { auditLog, apiKeys, operatorSessions, settings };
}
