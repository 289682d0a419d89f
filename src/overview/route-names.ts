import type { Database } from "../db/database.ts";
import { parseRoute } from "../outbox/routes.ts";

/** A route, and what operators call it: its pools, or its bot. */
export interface RouteName {
  readonly destination: string;
  readonly route: string;
  readonly of: string;
}

/** What operators call a route. */
export type RouteNames = (destination: string, route: string) => RouteName;

/** Finds the pools of a pixel and the name of a bot, which is what operators call a route. */
export async function routeNames(db: Database): Promise<RouteNames> {
  const { pools, bots } = db.tables;
  const poolRows = await db
    .select({ slug: pools.slug, pixelId: pools.metaPixelId })
    .from(pools)
    .orderBy(pools.slug);
  const botRows = await db.select({ id: bots.id, username: bots.username }).from(bots);
  const bot = new Map(botRows.map(({ id, username }) => [String(id), `@${username}`]));
  return (destination, route) => {
    const { account } = parseRoute(route);
    if (destination === "telegram")
      return { destination, route, of: bot.get(account) ?? "a bot that is gone" };
    const slugs = poolRows.filter(({ pixelId }) => pixelId === account).map(({ slug }) => slug);
    return { destination, route, of: slugs.join(", ") || "no pool uses it" };
  };
}
