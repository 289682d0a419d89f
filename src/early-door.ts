import { existsSync } from "node:fs";
import { bridgeScripts } from "./assets/assets.ts";
import type { Config } from "./config.ts";
import { openSpool, type Spool } from "./db/spool/spool.ts";
import { fileState } from "./db/sqlite/file-state.ts";
import type { Deps } from "./deps.ts";
import { type Behind, type Door, openDoor } from "./door.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { lateLog } from "./platform/brief-log.ts";
import { internalServerError } from "./platform/problem.ts";
import { indexPools, type PoolIndex, poolAt } from "./pools/pool-index.ts";
import { databaseDigest, spoolSnapshot } from "./pools/pool-snapshot.ts";
import { createBridgePages } from "./redirect/bridge-pages.ts";
import { createSpoolCommit } from "./redirect/spool-commit.ts";
import { createVisitHandler } from "./redirect/visit.ts";
import type { VisitRecord } from "./redirect/visit-record.ts";
import { visitSettings } from "./redirect/visit-settings.ts";

/** The program, once it is loaded: who answers then, and what the first visits still want of it. */
interface Program {
  readonly behind: Behind;
  readonly deps: Pick<Deps, "log" | "recorder" | "refusals" | "trackingStore">;
}

/** The door of a process that is not loaded yet. */
export interface EarlyDoor {
  readonly door: Door;
  /** The program answers from now on. Resolves when what came before is in the database, or the log says why it is not. */
  handOver(program: Program): Promise<void>;
}

/**
 * Lets visitors in before the program is loaded and the database open, which takes longer than all that a visit needs.
 * A start that finds the database's file as the last process left it knows the pools from the spool, and keeps visits
 * there, as while a database is away. Whoever comes for anything else waits.
 *
 * @returns null where pools may have changed since they were noted, as after a crash, and always with Postgres
 * @throws SettingError where it cannot listen
 */
export async function openEarlyDoor(config: Config, metrics: Metrics): Promise<EarlyDoor | null> {
  const asLeft = config.role === "dispatcher" ? null : openAsLeft(config);
  if (!asLeft) return null;
  const { spool, pools } = asLeft;
  const { promise: program, resolve: begin } = Promise.withResolvers<Program>();
  const log = lateLog(program.then(({ deps }) => deps.log));
  const toSpool = createSpoolCommit(spool);
  let isSpoolFailed = false;

  async function record(visit: VisitRecord): Promise<"committed" | "spooled"> {
    try {
      await toSpool.submit(visit);
      return "spooled";
    } catch (error) {
      // A full disk, perhaps: the database is asked, too.
      if (!isSpoolFailed) log.error({ error }, "the spool did not take visits; they wait for the database");
      isSpoolFailed = true;
      return (await program).deps.recorder.record(visit);
    }
  }

  const visit = createVisitHandler({
    ...visitSettings(config, metrics, () => door.server),
    pools: { get: (slug) => poolAt(pools, slug), isLoaded: () => true },
    recorder: { record },
    trackingStore: {
      save: (...copy) => void program.then(({ deps }) => deps.trackingStore.save(...copy)),
    },
    refusals: { count: (...refusal) => void program.then(({ deps }) => deps.refusals.count(...refusal)) },
    bridgePages: createBridgePages(bridgeScripts()),
    failedAnswer(request, error) {
      log.error({ error, method: request.method }, "a request failed");
      return internalServerError();
    },
    now: () => new Date(),
    log,
  });
  const behind: Behind = {
    // Nobody is told that a link leads nowhere until the database says so.
    visit: (request, slug) =>
      poolAt(pools, slug)
        ? visit(request, slug)
        : program.then((loaded) => loaded.behind.visit(request, slug)),
    rest: async (request) => (await program).behind.rest(request),
  };
  const door = await openDoor(config, behind, log);
  return {
    door,
    async handOver(loaded) {
      door.leadTo(loaded.behind);
      begin(loaded);
      await toSpool.idle();
      spool.close();
      await loaded.deps.recorder.replayWaiting();
    },
  };
}

/** The spool with the database's pools in it; null where they are not known to be that. */
function openAsLeft(config: Config): { readonly spool: Spool; readonly pools: PoolIndex } | null {
  const state = config.sqliteFile === null ? null : fileState(config.sqliteFile);
  if (state === null || !existsSync(config.spoolFile)) return null;
  let spool: Spool | null = null;
  try {
    spool = openSpool(config.spoolFile);
    const pools = spoolSnapshot(spool, databaseDigest(config)).asLeft(state);
    if (pools.length > 0) return { spool, pools: indexPools(pools) };
  } catch {
    // It is opened again with all others, and what is wrong is said then.
  }
  spool?.close();
  return null;
}
