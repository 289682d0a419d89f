import { desc, inArray, sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { preparedStatement } from "../db/prepared-statement.ts";
import { openSealed } from "../platform/open-sealed.ts";
import type { Secrets } from "../platform/secrets.ts";
import type { ClaimedRow } from "./destination.ts";

type Tokens =
  | { readonly kind: "found"; readonly accessTokens: readonly [string, ...string[]] }
  | { readonly kind: "missing"; readonly reason: string };

/**
 * A pixel's tokens, of all pools that have the pixel: the one set last first. Where none has it any more, because it was
 * changed while events waited, the tokens of their own pools: a business's token often serves all its pixels. Asked for
 * with every batch, so that a changed one counts at once, in every process.
 */
export async function lookUpTokens(
  { db, secrets }: { readonly db: Database; readonly secrets: Secrets },
  pixelId: string,
  rows: readonly ClaimedRow[],
): Promise<Tokens> {
  const ofPixel = await db.rows<SealedToken>(PIXEL_TOKENS(db.dialect), { pixelId });
  const found = ofPixel.length > 0 ? ofPixel : await poolTokens(db, rows);
  const tokens = new Set<string>();
  let reason = `No pool holds an access token for pixel ${pixelId}. Set one: ponte pool update <slug> --access-token …`;
  for (const { slug, sealed } of found) {
    const opened = openSealed(secrets, sealed, "pools.meta_access_token");
    if (opened.kind === "opened") tokens.add(opened.text);
    else reason = `The access token of pool ${slug} is unreadable. ${opened.reason}`;
  }
  const [first, ...others] = tokens;
  return first === undefined
    ? { kind: "missing", reason }
    : { kind: "found", accessTokens: [first, ...others] };
}

interface SealedToken {
  readonly slug: string;
  readonly sealed: string;
}

const PIXEL_TOKENS = preparedStatement(
  () => sql`
    select slug, meta_access_token as sealed from pools
    where meta_pixel_id = ${sql.placeholder("pixelId")} and meta_access_token is not null
    order by coalesce(meta_access_token_at, created_at) desc, id desc`,
);

async function poolTokens({ tables: { pools }, ...db }: Database, rows: readonly ClaimedRow[]) {
  const ids = new Set(rows.flatMap(({ poolId }) => (poolId === null ? [] : [poolId])));
  const found = await db
    .select({ slug: pools.slug, sealed: pools.metaAccessToken })
    .from(pools)
    .where(inArray(pools.id, [...ids]))
    .orderBy(desc(pools.id));
  return found.flatMap(({ slug, sealed }): SealedToken[] => (sealed === null ? [] : [{ slug, sealed }]));
}
