import { and, inArray, isNotNull } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { inChunks } from "./chunks.ts";

/** Whose a visit is; either is enough to know them by. */
export interface Owner {
  readonly telegramUser: string | null;
  readonly botUserId: number | null;
}

/** Who came with these visits first: as the visit itself says, else as the funnel remembers, also of erased ones. */
export async function ownersOf(db: Database, tokens: readonly string[]): Promise<ReadonlyMap<string, Owner>> {
  const { sessions, funnelStates } = db.tables;
  const named = await inChunks(tokens, (some) =>
    db
      .select({ token: sessions.trackingToken, telegramUser: sessions.userExternalId })
      .from(sessions)
      .where(and(inArray(sessions.trackingToken, some), isNotNull(sessions.userExternalId))),
  );
  const owners = new Map(
    named.map(({ token, telegramUser }): [string, Owner] => [token, { telegramUser, botUserId: null }]),
  );
  const nameless = tokens.filter((token) => !owners.has(token));
  const states = await inChunks(nameless, (some) =>
    db
      .select({ token: funnelStates.trackingToken, botUserId: funnelStates.botUserId })
      .from(funnelStates)
      .where(and(inArray(funnelStates.trackingToken, some), isNotNull(funnelStates.botUserId)))
      .orderBy(funnelStates.id),
  );
  for (const { token, botUserId } of states) {
    if (token !== null && !owners.has(token)) owners.set(token, { telegramUser: null, botUserId });
  }
  return owners;
}
