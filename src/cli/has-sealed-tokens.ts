import type { Database } from "../db/database.ts";
import { openSealed } from "../platform/open-sealed.ts";
import type { Secrets } from "../platform/secrets.ts";

/**
 * Whether this key opens any token of pools and bots; single ones may have been sealed by an older key. Null where there
 * are none.
 */
export async function hasSealedTokens(
  { tables, select }: Pick<Database, "tables" | "select">,
  secrets: Secrets,
): Promise<boolean | null> {
  const { pools, bots } = tables;
  const ofPools = await select({ sealed: pools.metaAccessToken }).from(pools);
  const ofBots = await select({ sealed: bots.token }).from(bots);
  const opens = [
    ...ofPools.map(({ sealed }) => opensWith(secrets, sealed, "pools.meta_access_token")),
    ...ofBots.map(({ sealed }) => opensWith(secrets, sealed, "bots.token")),
  ].filter((is) => is !== null);
  return opens.length === 0 ? null : opens.includes(true);
}

function opensWith(
  secrets: Secrets,
  sealed: string | null,
  purpose: "pools.meta_access_token" | "bots.token",
): boolean | null {
  return sealed === null ? null : openSealed(secrets, sealed, purpose).kind === "opened";
}
