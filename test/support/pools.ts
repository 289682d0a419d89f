import type { Database } from "../../src/db/database.ts";
import type { Tables } from "../../src/db/define-schema.ts";

type NewPool = Partial<Tables["pools"]["$inferInsert"]> & { readonly slug: string };

/**
 * A pool with its bots, written straight into the tables; `members` are their `pool_bots`. The bots default to one,
 * `<slug>_bot`.
 */
export async function addPool(
  db: Database,
  pool: NewPool,
  bots: readonly { username: string; weight?: number; enabled?: boolean; healthy?: boolean }[] = [
    { username: `${pool.slug.replaceAll("-", "_")}_bot` },
  ],
) {
  const { tables } = db;
  const times = { createdAt: new Date(), updatedAt: new Date() };
  return db.transaction(async (tx) => {
    const [created] = await tx
      .insert(tables.pools)
      .values({ name: pool.slug, captureParams: [], metaPixelId: "1234567890", ...times, ...pool })
      .returning();
    if (!created) throw new Error("the pool was not created");
    const added = [];
    const members = [];
    for (const { weight = 1, enabled = true, username, healthy = true } of bots) {
      const [bot] = await tx
        .insert(tables.bots)
        .values({ username, healthy, ...times })
        .returning();
      if (!bot) throw new Error("the bot was not created");
      added.push(bot);
      const member = { poolId: created.id, botId: bot.id, weight, enabled };
      members.push(...(await tx.insert(tables.poolBots).values(member).returning()));
    }
    await tx.notify("pools");
    return { pool: created, bots: added, members };
  });
}

export type AddedPool = Awaited<ReturnType<typeof addPool>>;
