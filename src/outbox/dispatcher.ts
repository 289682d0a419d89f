import { Cron } from "croner";
import type { Database } from "../db/database.ts";
import { withDatabaseDeadline } from "../db/database-deadline.ts";
import type { Log } from "../platform/log.ts";
import { createOutage } from "../platform/outage.ts";
import { createAutoResetEvent } from "./auto-reset-event.ts";
import { createBatchRunner } from "./batch-runner.ts";
import type { RequestFact } from "./deliver.ts";
import type { Adapters } from "./destination.ts";
import { createLeaseKeeper } from "./lease-keeper.ts";
import { DATABASE_TIMEOUT_MS } from "./limits.ts";
import type { OnSettled } from "./record-request.ts";
import { routeName } from "./routes.ts";
import { type Limits, nextTurns, slotsTaken } from "./schedule.ts";
import { createUpkeep } from "./upkeep.ts";
import { type WaitingRoute, waitingRoutes } from "./waiting-routes.ts";

const LIMITS: Limits = { perRoute: 2, altogether: 20 };
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

/** The only code that lets events out. Any number of dispatchers work on one database side by side. */
export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { db, log, adapters, limits = LIMITS } = deps;
  const { onSettled = async () => undefined, onRequest = () => undefined } = deps;
  /** Set when there may be something to start. */
  const news = createAutoResetEvent();
  const batches = createBatchRunner({ db, log, adapters, onSettled, onRequest, onChange: news.set });
  const lastServed = new Map<string, number>();
  let served = 0;
  let stopping = false;
  let draining: Promise<void> | undefined;
  let nextDue: Timer | undefined;
  let schedule: Cron | undefined;
  let stopListening = () => {};

  const outage = createOutage(log, {
    failed: "the outbox cannot be read; trying again every second",
    worked: "the outbox can be read again",
  });

  const leases = createLeaseKeeper({
    db,
    log,
    leaseIds: batches.leaseIds,
    isStopping: () => stopping,
    onTaken: wake,
  });

  const upkeep = createUpkeep({
    db,
    log,
    renewLeases: leases.renew,
    isAway: () => outage.isOn,
    isStopping: () => stopping,
  });

  function drain(): Promise<void> {
    news.set();
    draining ??= drainAll();
    return draining;
  }

  async function drainAll(): Promise<void> {
    try {
      for (;;) {
        await news.wait();
        const hasRoom = !stopping && slotsTaken(batches.underWay().values(), limits) < limits.altogether;
        const waiting = hasRoom ? await look() : [];
        if (hasRoom && !stopping) {
          for (const route of turns(waiting)) start(route);
          planNext(waiting);
        }
        if (batches.isIdle && !news.isSet) return;
      }
    } finally {
      // Before anybody else can run: news from here on starts a new drain.
      draining = undefined;
    }
  }

  /** That the outbox can be read is known from here on: while events keep coming, a drain need not end. */
  async function look(): Promise<WaitingRoute[]> {
    const waiting = await withDatabaseDeadline(db, DATABASE_TIMEOUT_MS, waitingRoutes(db, db.dialect));
    outage.worked();
    return waiting;
  }

  function turns(waiting: readonly WaitingRoute[]): WaitingRoute[] {
    const sendable = waiting.filter(({ destination }) => adapters[destination] !== undefined);
    const underWay = batches.underWay();
    const known = new Set([...waiting.map(routeName), ...underWay.keys()]);
    // Test codes come and go while a process lives: whoever has nothing left loses its turn.
    for (const name of lastServed.keys()) if (!known.has(name)) lastServed.delete(name);
    return nextTurns(sendable, { underWay, lastServed }, limits);
  }

  function start(route: WaitingRoute): void {
    lastServed.set(routeName(route), ++served);
    batches.start(route);
  }

  /** The schedule looks once a second; a row that falls due before that is not kept waiting. */
  function planNext(waiting: readonly WaitingRoute[]): void {
    clearTimeout(nextDue);
    const soonest = Math.min(...waiting.map(({ dueInMs }) => dueInMs).filter((ms) => ms > 0));
    if (soonest < 1_000) nextDue = setTimeout(wake, Math.ceil(soonest));
  }

  /** A drain under way only hears of it: a promise kept for each of a million wake-ups would fill the memory. */
  function wake(): void {
    if (draining) news.set();
    else drain().catch((error) => outage.failed({ error, todo: db.advice(error) }));
  }

  async function tick(): Promise<void> {
    wake();
    if (outage.isOn) return;
    await leases.takeOver().catch((error) => {
      const todo = db.advice(error);
      log.warn({ error, todo }, "lapsed leases could not be taken over; trying again in a second");
    });
  }

  return {
    drain,
    start() {
      // Whoever waited for the commit is answered first.
      stopListening = db.listen("outbox", () => setImmediate(wake));
      schedule = new Cron(EVERY_SECOND, { protect: true, unref: true }, tick);
      upkeep.start();
      void tick();
    },
    async stop(graceMs = STOP_GRACE_MS) {
      stopping = true;
      stopListening();
      schedule?.stop();
      clearTimeout(nextDue);
      const grace = setTimeout(batches.abort, graceMs);
      await batches.finished();
      // Whoever began the drain hears what it failed with.
      await draining?.catch(() => undefined);
      clearTimeout(grace);
      await upkeep.stop();
    },
  };
}
