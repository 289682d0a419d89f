import type { Database } from "../db/database.ts";
import { ANSWER_MS, withDatabaseDeadline } from "../db/database-deadline.ts";
import type { Log } from "../platform/log.ts";
import { createOutage } from "../platform/outage.ts";
import { loadPools } from "./load-pools.ts";
import type { Pool } from "./pool.ts";
import { indexPools, poolAt } from "./pool-index.ts";

/** How often a change is looked for that nobody announced: another process's on SQLite, an operator's in SQL. */
const REFRESH_MS = 1_000;

/** Where the last known pools survive a restart during an outage of the database. */
export interface PoolSnapshot {
  load(): readonly Pool[];
  save(pools: readonly Pool[]): void;
}

export interface PoolCache {
  /** The enabled pool of that slug, from memory: a visit never waits for a query. */
  get(slug: string): Pool | undefined;
  /** All enabled pools, as they were last read. */
  all(): readonly Pool[];
  /** False until pools were read once, now or before the restart: nobody can then say that a slug does not exist. */
  isLoaded(): boolean;
  /** False while they are a snapshot's: where the database was never reached from here, perhaps another one's. */
  isRead(): boolean;
  /** Reads the pools again now. */
  refresh(): Promise<void>;
  close(): void;
}

/**
 * Keeps all enabled pools in memory: read at the start, when a change is announced, and every second. They are compared
 * by what they hold, for SQL that changes a weight changes no time stamp; a pool that did not change stays the same
 * object, and keeps what was made for it.
 * While the database is away the last known pools go on serving, from the snapshot after a restart.
 */
export async function openPoolCache(deps: {
  db: Database;
  snapshot: PoolSnapshot;
  log: Log;
}): Promise<PoolCache> {
  const { db, snapshot, log } = deps;
  let bySlug = indexPools(snapshot.load());
  let wasRead = false;
  let refreshing: Promise<void> | undefined;
  const outage = createOutage(log, {
    failed: "pools could not be read again; the last known go on",
    worked: "pools can be read again",
  });

  async function read(): Promise<void> {
    const before = bySlug;
    const pools = (await withDatabaseDeadline(db, ANSWER_MS, loadPools(db))).map((pool) => {
      const known = before.get(pool.slug);
      return known && contentOf(known) === contentOf(pool) ? known : pool;
    });
    const isSame = pools.length === before.size && pools.every((pool) => before.get(pool.slug) === pool);
    wasRead = true;
    if (isSame) return;
    bySlug = indexPools(pools);
    snapshot.save(pools);
  }

  async function refresh(): Promise<void> {
    // A reading under way may have begun before the change that we are told of.
    await refreshing?.catch(() => undefined);
    refreshing ??= read().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  /** In the background nobody waits for the answer, and the last known pools stay. */
  function refreshQuietly(): void {
    refresh().then(outage.worked, (error) => outage.failed({ error, todo: db.advice(error) }));
  }

  await refresh().catch((error) => {
    log.error(
      { error, todo: db.advice(error), pools: bySlug.size },
      "pools could not be read; serving the last known",
    );
  });
  const stopListening = db.listen("pools", refreshQuietly);
  const timer = setInterval(refreshQuietly, REFRESH_MS);
  timer.unref();

  return {
    get: (slug) => poolAt(bySlug, slug),
    all: () => [...bySlug.values()],
    isLoaded: () => wasRead || bySlug.size > 0,
    isRead: () => wasRead,
    refresh,
    close() {
      clearInterval(timer);
      stopListening();
    },
  };
}

/** All that visits depend on; the count of redirects goes up with each of them and is none of it. */
function contentOf(pool: Pool): string {
  return JSON.stringify(pool, (key, value) => (key === "totalRedirects" ? undefined : value));
}
