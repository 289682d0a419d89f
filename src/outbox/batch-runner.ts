import { withDatabaseDeadline } from "../db/database-deadline.ts";
import { newId } from "../platform/ids.ts";
import { type DeliveryDeps, deliver } from "./deliver.ts";
import type { Adapters, DestinationAdapter } from "./destination.ts";
import { claim } from "./lease.ts";
import { DATABASE_TIMEOUT_MS } from "./limits.ts";
import { isProbe, type RunningBatch, type UnderWay, underWayOf } from "./schedule.ts";
import type { WaitingRoute } from "./waiting-routes.ts";

/** Rows of a route that is tried again after its breaker opened. */
const PROBE_ROWS = 10;
/** A route whose rows others are just taking is looked at again after this long. */
const CONTENDED_MS = 20;
/** A route whose rows could not be taken or settled, because the database failed, is left alone for so long. */
const FAILED_MS = 1_000;

interface BatchRunnerDeps extends Omit<DeliveryDeps, "adapter" | "signal"> {
  readonly adapters: Adapters;
  /** Another batch may start: rows were taken, so that it is known what is left, or a batch has ended. */
  onChange(): void;
}

interface BatchRunner {
  /** Takes due rows of the route under a lease of their own, sends them and settles them. */
  start(route: WaitingRoute): void;
  /** What is under way of each route, by `routeName`. */
  underWay(): Map<string, UnderWay>;
  /** The leases that are held at this moment. */
  leaseIds(): string[];
  /** Whether nothing is under way. */
  readonly isIdle: boolean;
  /** Resolves when what is under way has ended. */
  finished(): Promise<void>;
  /** Gives requests up: their rows go back as they were. */
  abort(): void;
}

/** From the moment its rows are being taken until they are settled. */
interface Batch extends RunningBatch {
  isClaiming: boolean;
  finished: Promise<void>;
}

/** Runs the batches of one dispatcher side by side. */
export function createBatchRunner({ adapters, onChange, ...deps }: BatchRunnerDeps): BatchRunner {
  const { db, log } = deps;
  const aborting = new AbortController();
  /** Batches under way, by lease. */
  const held = new Map<string, Batch>();

  function start(route: WaitingRoute): void {
    const adapter = adapters[route.destination];
    if (!adapter) return;
    const leaseId = newId();
    const batch: Batch = {
      route,
      startedMs: performance.now(),
      isClaiming: true,
      finished: Promise.resolve(),
    };
    held.set(leaseId, batch);
    batch.finished = run(batch, leaseId, adapter)
      .catch((error) => {
        const todo = db.advice(error);
        log.error({ error, todo, route: route.route }, "a batch could not be taken or settled");
        // Tried again at once, a full disk under SQLite would keep this process too busy to answer anybody.
        return Bun.sleep(FAILED_MS);
      })
      .finally(() => {
        held.delete(leaseId);
        onChange();
      });
  }

  async function run(batch: Batch, leaseId: string, adapter: DestinationAdapter): Promise<void> {
    const { route } = batch;
    const key = { destination: route.destination, route: route.route };
    const limit = isProbe(route) ? Math.min(PROBE_ROWS, adapter.maxBatch) : adapter.maxBatch;
    const takenAtMs = Date.now();
    const claiming = claim(db, leaseId, { ...key, limit, isProbe: isProbe(route) });
    const rows = await withDatabaseDeadline(db, DATABASE_TIMEOUT_MS, claiming);
    if (rows.length === 0) {
      await Bun.sleep(CONTENDED_MS);
      return;
    }
    // What it left, or what has come since, may go now, once this request is on its way.
    batch.isClaiming = false;
    setImmediate(onChange);
    const streak = { unexplained: route.unexplained, hasCounted: false };
    const leased = { key, leaseId, rows, takenAtMs, standing: route, streak };
    await deliver({ ...deps, adapter, signal: aborting.signal }, leased);
  }

  return {
    start,
    underWay: () => underWayOf(held.values(), performance.now()),
    leaseIds: () => [...held.keys()],
    get isIdle() {
      return held.size === 0;
    },
    async finished() {
      await Promise.all([...held.values()].map(({ finished }) => finished));
    },
    abort: () => aborting.abort(),
  };
}
