import { and, asc, desc, eq, inArray, sql } from "drizzle-orm";
import { recordAudit, viewChanges } from "../audit/audit-log.ts";
import type { Database, Reader, Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { nextUpdatedAt, type Overtaken } from "../db/next-updated-at.ts";
import { hasStatus } from "../outbox/filter.ts";
import { poolCredentialChanged } from "../outbox/resume-route.ts";
import type { Invalid } from "../platform/parse-input.ts";
import type { Secrets } from "../platform/secrets.ts";
import { changedColumns, coherenceIssues, poolColumns, withGateSwitch } from "./pool-columns.ts";
import { areMembers, replaceMembers } from "./pool-members.ts";
import type { PoolChange, PoolDraft } from "./pool-rules.ts";
import { findPool, type PoolView } from "./pool-view.ts";

/** What managing pools works with. */
export interface ManageDeps {
  readonly db: Database;
  readonly secrets: Secrets;
  readonly now: () => Date;
}

/** What became of a draft. */
export type CreatePoolResult =
  | { readonly kind: "created"; readonly pool: PoolView }
  | { readonly kind: "slug_taken" }
  | Invalid;

/** What became of a change. */
export type UpdatePoolResult =
  | { readonly kind: "updated"; readonly pool: PoolView }
  /** All that was asked for is so already. */
  | { readonly kind: "unchanged"; readonly pool: PoolView }
  | { readonly kind: "not_found" }
  | Invalid;

/** A pool as an editor saw it. */
type SeenPool = Pick<PoolView, "slug" | "updated_at">;

/** What became of a removal. */
export type DeletePoolResult =
  | { readonly kind: "deleted" }
  | { readonly kind: "not_found" }
  /** It has had visits, whose history names it, or events of it wait: disable it instead. */
  | { readonly kind: "in_use" };

/** Makes a pool, and those of its bots that are not there yet. `actor` is who does it, for the audit log. */
export async function createPool(
  { db, secrets, now }: ManageDeps,
  actor: string,
  draft: PoolDraft,
): Promise<CreatePoolResult> {
  const { tables } = db;
  const columns = poolColumns(withGateSwitch(draft, null), secrets);
  const issues = coherenceIssues({
    metaTrackingEnabled: columns.metaTrackingEnabled ?? true,
    metaPixelId: columns.metaPixelId ?? null,
    metaAccessToken: columns.metaAccessToken ?? null,
    metaCloakerEnabled: columns.metaCloakerEnabled ?? false,
    metaCloakerParamValue: columns.metaCloakerParamValue ?? null,
  });
  if (issues.length > 0) return { kind: "invalid", issues };

  return db.transaction(async (tx) => {
    const at = await nextUpdatedAt(tx, tables, now());
    const [row] = await tx
      .insert(tables.pools)
      .values({
        ...columns,
        slug: draft.slug,
        name: draft.name ?? draft.slug,
        captureParams: draft.capture_params ?? [],
        metaAccessTokenAt: columns.metaAccessToken ? at : null,
        createdAt: at,
        updatedAt: at,
      })
      .onConflictDoNothing()
      .returning({ id: tables.pools.id });
    if (row === undefined) return { kind: "slug_taken" };
    await replaceMembers(tx, db, { poolId: row.id, members: draft.bots, at });
    const pool = await writtenPool(tx, tables, draft.slug);
    const subject = `pool:${draft.slug}`;
    await recordAudit(tx, tables, { at, actor, action: "pool.create", subject, after: pool });
    if (pool.meta_pixel_id !== null) await poolCredentialChanged(tx, db, pool.meta_pixel_id);
    await tx.notify("pools");
    return { kind: "created", pool };
  });
}

/** Changes what `change` names. A gate value that appears turns the gate on, one that goes turns it off. */
export function updatePool(
  deps: ManageDeps,
  actor: string,
  slug: string,
  change: PoolChange,
): Promise<UpdatePoolResult>;
/** The same for an editor who saw the pool like that: a later version is not written over. */
export function updatePool(
  deps: ManageDeps,
  actor: string,
  seen: SeenPool,
  change: PoolChange,
): Promise<UpdatePoolResult | Overtaken<PoolView>>;
export async function updatePool(
  { db, secrets, now }: ManageDeps,
  actor: string,
  known: string | SeenPool,
  change: PoolChange,
): Promise<UpdatePoolResult | Overtaken<PoolView>> {
  const { tables } = db;
  const { slug, updated_at: seen } = typeof known === "string" ? { slug: known } : known;
  return db.transaction(async (tx) => {
    await takeAlone(tx, db, slug);
    // Locked before its bots are: visits count in that order, and two that lock in different ones wait for each other.
    const [row] = await db.dialect.locked(tx.select().from(tables.pools).where(eq(tables.pools.slug, slug)));
    if (row === undefined) return { kind: "not_found" };
    const before = await writtenPool(tx, tables, slug);
    const columns = changedColumns(row, withGateSwitch(change, row.metaCloakerParamValue), secrets);
    const issues = coherenceIssues({ ...row, ...columns });
    if (issues.length > 0) return { kind: "invalid", issues };
    const members = change.bots && !areMembers(before.bots, change.bots) ? change.bots : null;
    if (Object.keys(columns).length === 0 && members === null) return { kind: "unchanged", pool: before };
    if (seen !== undefined && seen !== before.updated_at) return { kind: "overtaken", current: before };
    const at = await nextUpdatedAt(tx, tables, now());
    if (members) await replaceMembers(tx, db, { poolId: row.id, members, at });
    // The stamp changes with a membership too: whoever has the pool's page open sees another one.
    await tx
      .update(tables.pools)
      .set({ ...columns, ...(columns.metaAccessToken && { metaAccessTokenAt: at }), updatedAt: at })
      .where(eq(tables.pools.id, row.id));
    const pool = await writtenPool(tx, tables, slug);
    const subject = `pool:${slug}`;
    const changes = viewChanges(before, pool, { meta_access_token: columns.metaAccessToken });
    await recordAudit(tx, tables, { at, actor, action: "pool.update", subject, ...changes });
    const isNewCredential = columns.metaAccessToken !== undefined || columns.metaPixelId !== undefined;
    if (isNewCredential) await poolCredentialChanged(tx, db, pool.meta_pixel_id);
    await tx.notify("pools");
    return { kind: "updated", pool };
  });
}

/** Removes a pool that never had a visit, and of which no event waits: its token may be what they go with. */
export async function deletePool(
  { db, now }: ManageDeps,
  actor: string,
  slug: string,
): Promise<DeletePoolResult> {
  const { tables } = db;
  const { pools, poolBots, gateRefusals } = tables;
  return db.transaction(async (tx) => {
    await takeAlone(tx, db, slug);
    // Locked in the order in which others count: refusals (by hour, and as the gate knows their reasons), which name
    // their pool, before it, and it before its bots.
    const named = tx.select({ id: pools.id }).from(pools).where(eq(pools.slug, slug));
    await db.dialect.locked(
      tx
        .select({ id: gateRefusals.id })
        .from(gateRefusals)
        .where(inArray(gateRefusals.poolId, named))
        .orderBy(asc(gateRefusals.hour), desc(gateRefusals.reason)),
    );
    const [row] = await db.dialect.locked(named);
    if (row === undefined) return { kind: "not_found" };
    const pool = await writtenPool(tx, tables, slug);
    if (pool.total_redirects > 0 || (await hasWaiting(tx, tables, pool.id))) return { kind: "in_use" };
    await tx.delete(gateRefusals).where(eq(gateRefusals.poolId, pool.id));
    await tx.delete(poolBots).where(eq(poolBots.poolId, pool.id));
    await tx.delete(pools).where(eq(pools.id, pool.id));
    const subject = `pool:${slug}`;
    await recordAudit(tx, tables, { at: now(), actor, action: "pool.delete", subject, before: pool });
    await tx.notify("pools");
    return { kind: "deleted" };
  });
}

/** Waits for those who write of the pool just now, and lets nobody else until the transaction ends. */
async function takeAlone(tx: Tx, { dialect, tables: { pools } }: Database, slug: string): Promise<void> {
  await tx
    .select({ lock: dialect.poolLock("alone", pools.id) })
    .from(pools)
    .where(eq(pools.slug, slug));
}

/** A status at a time: each has an index of its own, and the table keeps all that was ever sent. */
async function hasWaiting(tx: Tx, { outboxProgress }: Tables, poolId: number): Promise<boolean> {
  for (const status of ["sending", "pending"] as const) {
    const isPools = and(hasStatus(outboxProgress, status), eq(outboxProgress.poolId, poolId));
    const found = await tx.rows(sql`select id from ${outboxProgress} where ${isPools} limit 1`);
    if (found.length > 0) return true;
  }
  return false;
}

async function writtenPool(reader: Reader, tables: Tables, slug: string): Promise<PoolView> {
  const pool = await findPool(reader, tables, slug);
  if (pool === null) throw new Error(`pool ${slug} was written and is not there`);
  return pool;
}
