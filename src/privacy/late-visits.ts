import { and, inArray, isNotNull, like } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { inChunks } from "./chunks.ts";
import { type ErasureDeps, erasePerson } from "./erase.ts";
import { ERASED_USER } from "./rows.ts";
import { ownersOf } from "./visit-owners.ts";

const BY = { actor: "spool", dryRun: false };

/**
 * Visits have come into the database late, out of a spool. Those of people who were erased meanwhile, which no erasure
 * could find on another machine's disk, go as they would have gone with the rest.
 */
export async function eraseLateVisits(
  deps: Omit<ErasureDeps, "spool">,
  trackingTokens: readonly string[],
): Promise<void> {
  for (const token of await visitsOfErased(deps.db, trackingTokens)) {
    await erasePerson({ ...deps, spool: null }, { kind: "token", token }, BY);
  }
}

/** Whose start came first was erased; or, where nobody started with it, who paid. */
async function visitsOfErased(db: Database, tokens: readonly string[]): Promise<string[]> {
  const { botUsers, payments } = db.tables;
  const owners = await ownersOf(db, tokens);
  const ids = [...owners.values()].flatMap(({ botUserId }) => botUserId ?? []);
  const erased = await inChunks(ids, (some) =>
    db
      .select({ id: botUsers.id })
      .from(botUsers)
      .where(and(inArray(botUsers.id, some), like(botUsers.telegramUserId, `${ERASED_USER}%`))),
  );
  const erasedIds = new Set(erased.map(({ id }) => id));
  const unowned = tokens.filter((token) => !owners.has(token));
  const paid = await inChunks(unowned, (some) =>
    db
      .selectDistinct({ token: payments.trackingToken })
      .from(payments)
      .where(and(inArray(payments.trackingToken, some), isNotNull(payments.erasedAt))),
  );
  return [
    ...[...owners].flatMap(([token, { botUserId }]) =>
      botUserId !== null && erasedIds.has(botUserId) ? [token] : [],
    ),
    ...paid.flatMap(({ token }) => token ?? []),
  ];
}
