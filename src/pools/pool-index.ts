import type { Pool } from "./pool.ts";

/** Pools by their slugs. */
export type PoolIndex = ReadonlyMap<string, Pool>;

/** The pools by their slugs. */
export function indexPools(pools: readonly Pool[]): PoolIndex {
  return new Map(pools.map((pool) => [pool.slug, pool]));
}

/** Slugs are of small letters; whoever typed the ad's link may not have kept to them, and pays for the click. */
export function poolAt(index: PoolIndex, slug: string): Pool | undefined {
  return index.get(slug) ?? index.get(slug.toLowerCase());
}
