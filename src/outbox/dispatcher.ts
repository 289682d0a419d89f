import { Cron } from "croner";
import type { Database } from "../db/database.ts";
import { promptly } from "../db/promptly.ts";
import { newId } from "../platform/ids.ts";
import type { Log } from "../platform/log.ts";
import { createOutage } from "../platform/outage.ts";
import { createBell } from "./bell.ts";
import { watchClock } from "./clock-leap.ts";
import { deliver, type RequestFact } from "./deliver.ts";
import type { Adapters } from "./destination.ts";
import { beat, withdraw } from "./heartbeat.ts";
import { claim, RENEW_EVERY_MS } from "./lease.ts";
import { createLeaseKeeper } from "./lease-keeper.ts";
import { PATIENCE_MS } from "./limits.ts";
import { endOverlongPauses } from "./overlong-pauses.ts";
import type { OnSettled } from "./record-request.ts";
import { routeName } from "./routes.ts";
import { isProbe, type Limits, nextTurns, type RunningBatch, slotsTaken, underWayOf } from "./schedule.ts";
import { type WaitingRoute, waitingRoutes } from "./waiting-routes.ts";

const LIMITS: Limits = { perRoute: 2, altogether: 20 };
/** Rows of a route that is tried again after its breaker opened. */
const PROBE_ROWS = 10;
/** A route whose rows others are just taking is looked at again after this long. */
const CONTENDED_MS = 20;
/** A route whose rows could not be taken or settled, because the database failed, is left alone for so long. */
const FAILED_MS = 1_000;
const EVERY_SECOND = "* * * * * *";
/** How long a stop waits for answers before giving requests up. */
const STOP_GRACE_MS = 5_000;

interface DispatcherDeps {
  readonly db: Database;
  readonly log: Log;
  readonly adapters: Adapters;
  /** Told of rows that came to their end, in the transaction that says so; what it writes is committed with it. */
  readonly onSettled?: OnSettled;
  readonly onRequest?: (fact: RequestFact) => void;
  readonly limits?: Limits;
}

export interface Dispatcher {
  /** Starts draining: every second, at every wake-up, and when the next row falls due. */
  start(): void;
  /** Sends everything that is due; resolves when nothing due is left that this dispatcher could send. */
  drain(): Promise<void>;
  /** Takes no more rows, waits for answers, and gives back what it holds. */
  stop(graceMs?: number): Promise<void>;
}

/** From the moment its rows are being taken until they are settled. */
interface Batch extends RunningBatch {
  isClaiming: boolean;
  finished: Promise<void>;
}

/** The only code that lets events out. Any number of dispatchers work on one database side by side. */
export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { db, log, adapters, limits = LIMITS } = deps;
  const { onSettled = async () => undefined, onRequest = () => undefined } = deps;
  const id = newId();
  const bell = createBell();
  const abort = new AbortController();
  /** Batches under way, by lease. */
  const held = new Map<string, Batch>();
  const lastServed = new Map<string, number>();
  let served = 0;
  let stopping = false;
  let draining: Promise<void> | undefined;
  let nextDue: Timer | undefined;
  /** The sign of life that is being given. */
  let sign: Promise<void> | undefined;

  const outage = createOutage(log, {
    failed: "the outbox cannot be read; trying again every second",
    worked: "the outbox can be read again",
  });

  const leases = createLeaseKeeper({
    db,
    log,
    leaseIds: () => [...held.keys()],
    isStopping: () => stopping,
    onTaken: wake,
  });

  const underWay = () => underWayOf(held.values(), performance.now());
  const warning = (what: string) => (error: unknown) => log.warn({ error, todo: db.advice(error) }, what);
  const inTime = <T>(work: Promise<T>) => promptly(db, PATIENCE_MS, work);

  function drain(): Promise<void> {
    bell.ring();
    draining ??= drainAll();
    return draining;
  }

  async function drainAll(): Promise<void> {
    try {
      for (;;) {
        await bell.wait();
        const hasRoom = !stopping && slotsTaken(underWay().values(), limits) < limits.altogether;
        const waiting = hasRoom ? await look() : [];
        if (hasRoom) {
          for (const route of turns(waiting)) start(route);
          planNext(waiting);
        }
        if (held.size === 0 && !bell.hasRung) return;
      }
    } finally {
      // Before anybody else can run: a ring from here on starts a new drain.
      draining = undefined;
    }
  }

  /** That the outbox can be read is known from here on: while events keep coming, a drain need not end. */
  async function look(): Promise<WaitingRoute[]> {
    const waiting = await inTime(waitingRoutes(db, db.dialect));
    outage.worked();
    return waiting;
  }

  function turns(waiting: readonly WaitingRoute[]): WaitingRoute[] {
    const sendable = waiting.filter(({ destination }) => adapters[destination] !== undefined);
    const running = underWay();
    const known = new Set([...waiting.map(routeName), ...running.keys()]);
    // Test codes come and go while a process lives: whoever has nothing left loses its turn.
    for (const name of lastServed.keys()) if (!known.has(name)) lastServed.delete(name);
    return nextTurns(sendable, { underWay: running, lastServed }, limits);
  }

  function start(route: WaitingRoute): void {
    const leaseId = newId();
    lastServed.set(routeName(route), ++served);
    const batch: Batch = {
      route,
      startedMs: performance.now(),
      isClaiming: true,
      finished: Promise.resolve(),
    };
    held.set(leaseId, batch);
    batch.finished = runBatch(batch, leaseId)
      .catch((error) => {
        const todo = db.advice(error);
        log.error({ error, todo, route: route.route }, "a batch could not be taken or settled");
        // Tried again at once, a full disk under SQLite would keep this process too busy to answer anybody.
        return Bun.sleep(FAILED_MS);
      })
      .finally(() => {
        held.delete(leaseId);
        bell.ring();
      });
  }

  async function runBatch(batch: Batch, leaseId: string): Promise<void> {
    const { route } = batch;
    const adapter = adapters[route.destination];
    if (!adapter) return;
    const key = { destination: route.destination, route: route.route };
    const limit = isProbe(route) ? Math.min(PROBE_ROWS, adapter.maxBatch) : adapter.maxBatch;
    const rows = await inTime(claim(db, leaseId, { ...key, limit, isProbe: isProbe(route) }));
    if (rows.length === 0) {
      await Bun.sleep(CONTENDED_MS);
      return;
    }
    // What it left, or what has come since, may go now, once this request is on its way.
    batch.isClaiming = false;
    setImmediate(bell.ring);
    const streak = { unexplained: route.unexplained, hasCounted: false };
    const delivery = { db, log, adapter, onSettled, onRequest, signal: abort.signal };
    await deliver(delivery, { key, leaseId, rows, standing: route, streak });
  }

  /** The schedule looks once a second; a row that falls due before that is not kept waiting. */
  function planNext(waiting: readonly WaitingRoute[]): void {
    clearTimeout(nextDue);
    const soonest = Math.min(...waiting.map(({ dueInMs }) => dueInMs).filter((ms) => ms > 0));
    if (soonest < 1_000 && !stopping) nextDue = setTimeout(wake, Math.ceil(soonest));
  }

  /** During a drain it only rings: a promise kept for each of a million wake-ups would fill the memory. */
  function wake(): void {
    if (draining) bell.ring();
    else drain().catch((error) => outage.failed({ error, todo: db.advice(error) }));
  }

  async function tick(): Promise<void> {
    wake();
    if (stopping || outage.isOn) return;
    await leases.takeOver().catch(warning("lapsed leases could not be taken over; trying again in a second"));
  }

  async function giveSign(): Promise<void> {
    const failed = (what: string) => (error: unknown) => {
      // That the database is away stands in the log already.
      if (!outage.isOn) warning(what)(error);
    };
    await leases.renew().catch(failed("this dispatcher's leases could not be renewed"));
    if (stopping) return;
    await inTime(watchClock(db, log)).catch(failed("the database's clock could not be looked at"));
    await inTime(beat(db, id)).catch(failed("this dispatcher's sign of life could not be renewed"));
    await inTime(endOverlongPauses(db)).catch(failed("pauses that are too long could not be ended"));
  }

  /** A stop waits for it: what it writes must not come after what a stop takes back. */
  function showLife(): Promise<void> {
    sign = giveSign();
    return sign;
  }

  const schedules: Cron[] = [];
  let stopListening = () => {};
  return {
    drain,
    start() {
      // Whoever waited for the commit is answered first.
      stopListening = db.listen("outbox", () => setImmediate(wake));
      const options = { protect: true, unref: true };
      schedules.push(
        new Cron(EVERY_SECOND, options, tick),
        new Cron(`*/${RENEW_EVERY_MS / 1000} * * * * *`, options, showLife),
      );
      void showLife();
      void tick();
    },
    async stop(graceMs = STOP_GRACE_MS) {
      stopping = true;
      stopListening();
      for (const schedule of schedules) schedule.stop();
      clearTimeout(nextDue);
      const grace = setTimeout(() => abort.abort(), graceMs);
      await Promise.all([...held.values()].map(({ finished }) => finished));
      bell.ring();
      await draining?.catch(() => undefined);
      clearTimeout(grace);
      await sign;
      await withdraw(db, id).catch(warning("the sign of life could not be withdrawn"));
    },
  };
}
