import { randomBytes } from "node:crypto";
import { and, asc, eq, gt, isNull, lt, or } from "drizzle-orm";
import { recordAudit, viewChanges } from "../audit/audit-log.ts";
import type { Database, Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import type { KeyScope } from "../db/vocabulary.ts";
import { sha256Hex } from "../platform/digests.ts";
import { type AskedPage, type Page, pageOf } from "../platform/pagination.ts";

type KeyRow = Tables["apiKeys"]["$inferSelect"];

/** An API key as operators see it; the key itself is shown once, when it is made. */
export interface ApiKeyView {
  readonly id: number;
  readonly name: string;
  /** Its last four characters. */
  readonly hint: string;
  readonly scope: KeyScope;
  readonly created_at: string;
  readonly last_used_at: string | null;
  readonly revoked_at: string | null;
}

const PREFIX = "ponte_";
const LAST_USED_EVERY_MS = 60_000;

interface KeyDeps {
  readonly db: Database;
  readonly now: () => Date;
}

interface KeyDraft {
  readonly name: string;
  readonly scope: KeyScope;
}

interface CreatedKey {
  readonly kind: "created";
  readonly key: string;
  readonly view: ApiKeyView;
}

type CreateResult =
  | CreatedKey
  /** A live key has the name: the audit log could not tell the two apart. */
  | { readonly kind: "name_taken" };

/** Makes a key. */
export async function createApiKey(
  { db, now }: KeyDeps,
  actor: string,
  draft: KeyDraft,
): Promise<CreateResult> {
  return db.transaction(async (tx) => {
    const made = await writeKey(tx, db.tables, { at: now(), actor, draft, formId: null });
    return made ?? { kind: "name_taken" };
  });
}

type CreateOnceResult = CreateResult | { readonly kind: "made_already"; readonly view: ApiKeyView };

/** Makes a key, unless the form of that id made one: whoever reloads the answer sends the form again. */
export async function createApiKeyOnce(
  { db, now }: KeyDeps,
  actor: string,
  draft: KeyDraft,
  formId: string,
): Promise<CreateOnceResult> {
  const { apiKeys } = db.tables;
  return db.transaction(async (tx) => {
    const made = await writeKey(tx, db.tables, { at: now(), actor, draft, formId });
    if (made !== null) return made;
    const [known] = await tx.select().from(apiKeys).where(eq(apiKeys.formId, formId));
    return known === undefined ? { kind: "name_taken" } : { kind: "made_already", view: apiKeyView(known) };
  });
}

/**
 * Null where a live key has the name or the form made a key before, which the database's unique indexes tell. Only the
 * SHA-256 is stored: 256 random bits need no slow hash.
 */
async function writeKey(
  tx: Tx,
  tables: Tables,
  wanted: {
    readonly at: Date;
    readonly actor: string;
    readonly draft: KeyDraft;
    readonly formId: string | null;
  },
): Promise<CreatedKey | null> {
  const { at, actor, draft, formId } = wanted;
  const { name, scope } = draft;
  const key = PREFIX + randomBytes(32).toString("base64url");
  const [row] = await tx
    .insert(tables.apiKeys)
    .values({ name, scope, formId, keyHash: sha256Hex(key), hint: key.slice(-4), createdAt: at })
    .onConflictDoNothing()
    .returning();
  if (row === undefined) return null;
  const view = apiKeyView(row);
  const subject = `api_key:${row.id}`;
  await recordAudit(tx, tables, { at, actor, action: "api_key.create", subject, after: view });
  return { kind: "created", key, view };
}

/** Keys in the order they were made, revoked ones too. */
export async function listApiKeys(
  { db }: Pick<KeyDeps, "db">,
  { cursor, limit }: AskedPage,
): Promise<Page<ApiKeyView>> {
  const { apiKeys } = db.tables;
  const rows = await db
    .select()
    .from(apiKeys)
    .where(gt(apiKeys.id, cursor ?? 0))
    .orderBy(asc(apiKeys.id))
    .limit(limit + 1);
  return pageOf(rows.map(apiKeyView), limit, (view) => view.id);
}

type RevokeResult = { readonly kind: "revoked"; readonly key: ApiKeyView } | { readonly kind: "not_found" };

/** Ends a key at once; ending it again changes nothing. */
export async function revokeApiKey({ db, now }: KeyDeps, actor: string, id: number): Promise<RevokeResult> {
  const { tables } = db;
  const { apiKeys } = tables;
  return db.transaction(async (tx) => {
    const at = now();
    const revoked = await tx
      .update(apiKeys)
      .set({ revokedAt: at })
      .where(and(eq(apiKeys.id, id), isNull(apiKeys.revokedAt)))
      .returning({ id: apiKeys.id });
    const [row] = await tx.select().from(apiKeys).where(eq(apiKeys.id, id));
    if (row === undefined) return { kind: "not_found" };
    const key = apiKeyView(row);
    if (revoked.length > 0) {
      await recordAudit(tx, tables, {
        at,
        actor,
        action: "api_key.revoke",
        subject: `api_key:${id}`,
        ...viewChanges({ ...key, revoked_at: null }, key),
      });
    }
    return { kind: "revoked", key };
  });
}

/** The live key that reads so, or undefined. Looked up by digest, so that timing tells nothing of the key. */
export async function findApiKey({ db }: Pick<KeyDeps, "db">, key: string): Promise<KeyRow | undefined> {
  const { apiKeys } = db.tables;
  const [row] = await db
    .select()
    .from(apiKeys)
    .where(and(eq(apiKeys.keyHash, sha256Hex(key)), isNull(apiKeys.revokedAt)));
  return row;
}

/** Notes that a key was used, at most once a minute: a busy key must not be a busy row. */
export async function noteUse({ db, now }: KeyDeps, row: KeyRow): Promise<void> {
  const at = now();
  const staleBefore = new Date(at.getTime() - LAST_USED_EVERY_MS);
  if (row.lastUsedAt !== null && row.lastUsedAt > staleBefore) return;
  const { apiKeys } = db.tables;
  await db.transaction(async (tx) => {
    await tx
      .update(apiKeys)
      .set({ lastUsedAt: at })
      .where(
        and(eq(apiKeys.id, row.id), or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, staleBefore))),
      );
  });
}

function apiKeyView(row: KeyRow): ApiKeyView {
  return {
    id: row.id,
    name: row.name,
    hint: row.hint,
    scope: row.scope,
    created_at: row.createdAt.toISOString(),
    last_used_at: row.lastUsedAt?.toISOString() ?? null,
    revoked_at: row.revokedAt?.toISOString() ?? null,
  };
}
