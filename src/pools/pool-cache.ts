import type { Database } from "../db/database.ts";
import type { Log } from "../platform/log.ts";
import { loadPools, poolsFingerprint } from "./load-pools.ts";
import type { Pool } from "./pool.ts";

/** How often another process's change is looked for where nobody announces it (SQLite). */
const REFRESH_MS = 1_000;

/** Where the last known pools survive a restart during an outage of the database. */
export interface PoolSnapshot {
  load(): readonly Pool[];
  save(pools: readonly Pool[]): void;
}

export interface PoolCache {
  /** The enabled pool of that slug, from memory: a visit never waits for a query. */
  get(slug: string): Pool | undefined;
  /** False until pools were read once, now or before the restart: nobody can then say that a slug does not exist. */
  isLoaded(): boolean;
  /** Reads the pools again now. */
  refresh(): Promise<void>;
  close(): void;
}

/**
 * Keeps all enabled pools in memory: read at the start, and again when a change is announced or noticed.
 * While the database is away the last known pools go on serving, from the snapshot after a restart.
 */
export async function openPoolCache(deps: {
  db: Database;
  snapshot: PoolSnapshot;
  log: Log;
}): Promise<PoolCache> {
  const { db, snapshot, log } = deps;
  let bySlug = index(snapshot.load());
  let fingerprint = "";
  let refreshing: Promise<void> | undefined;

  async function refreshIfChanged(): Promise<void> {
    const current = await poolsFingerprint(db);
    if (current === fingerprint) return;
    const pools = await loadPools(db);
    fingerprint = current;
    bySlug = index(pools);
    snapshot.save(pools);
  }

  async function refresh(): Promise<void> {
    // A reading under way may have begun before the change that we are told of.
    await refreshing?.catch(() => undefined);
    refreshing ??= refreshIfChanged().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  /** In the background nobody waits for the answer, and the last known pools stay. */
  function refreshQuietly(): void {
    refresh().catch((error) =>
      log.warn({ error, todo: db.advice(error) }, "pools could not be read again; the last known go on"),
    );
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
    get: (slug) => bySlug.get(slug),
    isLoaded: () => fingerprint !== "" || bySlug.size > 0,
    refresh,
    close() {
      clearInterval(timer);
      stopListening();
    },
  };
}

function index(pools: readonly Pool[]): ReadonlyMap<string, Pool> {
  return new Map(pools.map((pool) => [pool.slug, pool]));
}
