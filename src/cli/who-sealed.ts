import type { Database } from "../db/database.ts";
import { openSealed } from "../platform/open-sealed.ts";
import type { Secrets } from "../platform/secrets.ts";

/**
 * Whose key sealed the tokens of pools and bots: this one, where it opens any, for single ones may be of an older key.
 */
export async function whoSealed(
  { tables, select }: Pick<Database, "tables" | "select">,
  secrets: Secrets,
): Promise<"this key" | "another" | "nobody"> {
  const { pools, bots } = tables;
  const ofPools = await select({ sealed: pools.metaAccessToken }).from(pools);
  const ofBots = await select({ sealed: bots.token }).from(bots);
  const opens = [
    ...ofPools.map(({ sealed }) => opensWith(secrets, sealed, "pools.meta_access_token")),
    ...ofBots.map(({ sealed }) => opensWith(secrets, sealed, "bots.token")),
  ].filter((is) => is !== null);
  if (opens.length === 0) return "nobody";
  return opens.includes(true) ? "this key" : "another";
}

function opensWith(
  secrets: Secrets,
  sealed: string | null,
  purpose: "pools.meta_access_token" | "bots.token",
): boolean | null {
  return sealed === null ? null : openSealed(secrets, sealed, purpose).kind === "opened";
}
