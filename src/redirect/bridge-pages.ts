import { type BridgePage, compileBridge } from "../../views/bridge.tsx";
import type { Locale } from "../db/vocabulary.ts";
import type { Pool, PoolBot } from "../pools/pool.ts";

type Fill = ReturnType<typeof compileBridge>;

/**
 * The bridge pages of a process, compiled once for each pool, bot and language, and apart for Limited Data Use. A pool
 * that changed is a new object in the pool cache, and its old pages go with the old object.
 */
export function createBridgePages(assets: BridgePage["assets"]) {
  const byPool = new WeakMap<Pool, Map<string, Fill>>();
  return (pool: Pool, bot: PoolBot, locale: Locale, limitedDataUse: boolean): Fill => {
    const pages = byPool.get(pool) ?? new Map<string, Fill>();
    byPool.set(pool, pages);
    const key = `${bot.botId} ${locale} ${limitedDataUse}`;
    let fill = pages.get(key);
    if (!fill) {
      fill = compileBridge({
        locale,
        poolName: pool.name,
        botUsername: bot.username,
        pixelId: pool.metaPixelId,
        utmifyPixelId: limitedDataUse ? null : pool.utmifyPixelId,
        limitedDataUse,
        autoContinueMs: pool.autoContinueMs,
        assets,
      });
      pages.set(key, fill);
    }
    return fill;
  };
}

export type BridgePages = ReturnType<typeof createBridgePages>;
