import type { Redis } from "ioredis";
import { type Assets, openAssets } from "./assets/assets.ts";
import { providerNames } from "./config/payments.ts";
import type { Config } from "./config.ts";
import { createReportRecorder, type ReportRecorder } from "./cookies/report-recorder.ts";
import type { Database } from "./db/database.ts";
import { openDatabase } from "./db/open.ts";
import { bestEffortSpool } from "./db/spool/best-effort-spool.ts";
import { openOrRecoverSpool } from "./db/spool/damaged-spool.ts";
import type { Spool } from "./db/spool/spool.ts";
import { fileState } from "./db/sqlite/file-state.ts";
import { createRefusalCounter, type RefusalCounter } from "./gate/refusals.ts";
import { createMetrics, type Metrics } from "./metrics/metrics.ts";
import { configuredProviders } from "./payments/providers/configured.ts";
import { reportPurchasesOf } from "./payments/report-purchase.ts";
import type { SalesDeps } from "./payments/sales.ts";
import { appSecret, keyFile } from "./platform/app-secret.ts";
import { withDeadline } from "./platform/deadline.ts";
import type { Log } from "./platform/log.ts";
import { closeToOthers } from "./platform/private-files.ts";
import { retryUntilSuccess } from "./platform/retry-until-success.ts";
import { createSecrets, type Secrets } from "./platform/secrets.ts";
import type { Pool } from "./pools/pool.ts";
import { openPoolCache, type PoolCache } from "./pools/pool-cache.ts";
import { databaseDigest, type SpoolSnapshot, spoolSnapshot } from "./pools/pool-snapshot.ts";
import { createVisitRecorder, type VisitRecorder } from "./redirect/visit-recorder.ts";
import { noTrackingStore, redisTrackingStore, type TrackingStore } from "./tracking/tracking-store.ts";
import { openWriter, type Writer } from "./writer/writer.ts";

/** How long a start waits for migrations before it serves visitors without. */
const MIGRATION_MS = 10_000;

/** Said of visits that were erased while a process brought them in, which was killed before it could erase them there. */
const ERASING = {
  failed: "visits that were erased may be in the database still; trying again every five seconds",
  worked: "visits that were erased are not in the database",
};

/** Everything a process works with, opened once. */
export interface Deps {
  readonly config: Config;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly now: () => Date;
  readonly db: Database;
  readonly spool: Spool;
  readonly redis: Redis | undefined;
  readonly secrets: Secrets;
  readonly assets: Assets;
  readonly pools: PoolCache;
  readonly refusals: RefusalCounter;
  readonly writer: Writer;
  readonly recorder: VisitRecorder;
  readonly reports: ReportRecorder;
  readonly trackingStore: TrackingStore;
  /** What payments work with, and the providers that are set up. */
  readonly payments: SalesDeps;
  /** Aborted once it is closed. */
  readonly stopping: AbortSignal;
  /** Finishes what is being written, then lets go of everything. */
  close(): Promise<void>;
}

/** Databases with what SQLite puts beside them, and the key. */
function privateFiles(config: Config): string[] {
  const databases = [config.spoolFile, config.sqliteFile].filter((path) => path !== null);
  return [keyFile(config), ...databases.flatMap((path) => [path, `${path}-wal`, `${path}-shm`])];
}

/** Brings the database up to date. From `MIGRATION_MS` on that goes on in the background. */
async function migrateInTime(db: Database, log: Log, stopping: AbortSignal): Promise<void> {
  const says = {
    failed:
      "the database could not be brought up to date, and visits that it does not take go to the spool; trying again every five seconds. `bun run ponte doctor` says what is missing",
    worked: "the database is up to date now",
  };
  const migrated = retryUntilSuccess({ log, db, stopping }, says, () => db.migrate());
  await withDeadline(migrated, MIGRATION_MS).catch((error) => {
    log.error(
      { error },
      "the database is not up to date yet; visits are served meanwhile, and go to the spool",
    );
  });
}

/** Whether the pools could be read once more. Where not, none are left: the next start asks the database, and says what fails. */
function areUpToDate(pools: PoolCache): Promise<boolean> {
  return pools.refresh().then(
    () => true,
    () => false,
  );
}

/** For the next start, which lets visitors in with these pools before it opens the database; without, it does that first. */
function leavePools(sqliteFile: string, snapshot: SpoolSnapshot, pools: readonly Pool[]): void {
  const state = fileState(sqliteFile);
  if (state === null) return;
  try {
    snapshot.leave(pools, state);
  } catch {
    // A full disk, perhaps; whatever else needs the spool says so.
  }
}

/**
 * Opens what a process needs. A database that is away, busy, or may not be migrated by us, does not stop the start:
 * visitors are served all the same, and the log says what to do.
 */
export async function openDeps(
  config: Config,
  log: Log,
  metrics = createMetrics(providerNames(config.payments)),
): Promise<Deps> {
  const now = () => new Date();
  // First: a file that is no database is not ours, so its mode is left alone and no key is made beside it.
  const db = await openDatabase(config.database);
  closeToOthers(privateFiles(config), log);
  const onKeyMade = (path: string) =>
    log.info({ path }, "made a new key, which seals tokens in the database; back it up with that");
  const secrets = createSecrets(appSecret(config, onKeyMade));
  const spool = openOrRecoverSpool(config.spoolFile, log);
  const readSpool = bestEffortSpool(spool, log);
  const stopping = new AbortController();
  await migrateInTime(db, log, stopping.signal);
  const redis = config.redisUrl
    ? (await import("./platform/redis.ts")).connectRedis(config.redisUrl, log)
    : undefined;
  const snapshot = spoolSnapshot(readSpool, databaseDigest(config));
  const pools = await openPoolCache({ db, snapshot, log });
  const refusals = createRefusalCounter({ db, log });
  const providers = configuredProviders(config.payments, now);
  const trackingStore = redis ? redisTrackingStore(redis, config.trackingTtlDays) : noTrackingStore;
  const payments: SalesDeps = {
    db,
    log,
    now,
    trackingData: (token) => trackingStore.find(token),
    recallVisit: (token) => recorder.recall(token),
    providers,
    publicUrl: config.publicUrl,
    consentDenied: config.consentDenied,
    starsUsdMinorPerThousand: config.payments.starsUsdMinorPerThousand,
  };
  async function eraseLate(trackingTokens: readonly string[]): Promise<void> {
    const { eraseLateVisits } = await import("./privacy/late-visits.ts");
    await eraseLateVisits({ db, spool: readSpool, trackingStore, now }, trackingTokens);
  }
  const writer = openWriter(db, config.database, log);
  const recorder = createVisitRecorder({
    db,
    writer: writer.visits,
    spool: readSpool,
    log,
    isOurs: pools.isRead,
    onCommit: metrics.onCommit,
    async onReplay(trackingTokens) {
      await eraseLate(trackingTokens);
      const { nameVisits } = await import("./tracking/name-visits.ts");
      await db.transaction((tx) => nameVisits(tx, db.tables, trackingTokens));
      await db.transaction((tx) => reportPurchasesOf(payments, tx, trackingTokens));
    },
  });
  const forgotten = readSpool.forgotten();
  const erased =
    forgotten.length > 0 &&
    retryUntilSuccess({ log, db, stopping: stopping.signal }, ERASING, () => eraseLate(forgotten));
  const reports = createReportRecorder({ db, writer: writer.cookies, spool: readSpool, trackingStore, log });
  return {
    config,
    log,
    metrics,
    now,
    db,
    spool,
    redis,
    secrets,
    assets: openAssets(),
    pools,
    refusals,
    writer,
    recorder,
    reports,
    trackingStore,
    payments,
    stopping: stopping.signal,
    async close() {
      stopping.abort();
      pools.close();
      await recorder.close();
      await erased;
      await reports.close();
      await writer.stop();
      await refusals.close();
      redis?.disconnect();
      const { sqliteFile } = config;
      const isKnown = sqliteFile !== null && (await areUpToDate(pools));
      await db.close();
      if (isKnown) leavePools(sqliteFile, spoolSnapshot(spool, databaseDigest(config)), pools.all());
      spool.close();
    },
  };
}
