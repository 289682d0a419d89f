import { hostname } from "node:os";
import { Cron } from "croner";
import { eq } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import type { Destination } from "../db/define-schema.ts";
import { newId } from "../platform/ids.ts";
import type { Log } from "../platform/log.ts";
import { BREAKER_THRESHOLD } from "./back-off.ts";
import { deliver, type OnSettled } from "./deliver.ts";
import type { DestinationAdapter } from "./destination.ts";
import { claim, reclaimExpired } from "./lease.ts";
import { type WaitingRoute, waitingRoutes } from "./waiting-routes.ts";

/** Requests under way at once: of one route, and altogether. A slow route can hold up no other for longer than a batch. */
const PER_ROUTE = 2;
const ALTOGETHER = 16;
/** Rows of a route that is tried again after its breaker opened. */
const PROBE_ROWS = 10;
/** A route whose rows others are just taking is looked at again after this long. */
const CONTENDED_MS = 20;
const HEARTBEAT_EVERY_S = 5;
/** How long a stop waits for answers before giving requests up. */
const STOP_GRACE_MS = 5_000;

export interface DispatcherDeps {
  readonly db: Database;
  readonly log: Log;
  readonly adapters: Readonly<Partial<Record<Destination, DestinationAdapter>>>;
  readonly onSettled?: OnSettled;
}

export interface Dispatcher {
  /** Starts draining: every second, at every wake-up, and when the next row falls due. */
  start(): void;
  /** Sends everything that is due; resolves when nothing due is left that this dispatcher could send. */
  drain(): Promise<void>;
  /** Takes no more rows, waits for answers, and gives back what it holds. */
  stop(): Promise<void>;
}

/** The only code that lets events out. Any number of dispatchers work on one database side by side. */
export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { db, log, adapters, onSettled = async () => undefined } = deps;
  const id = newId();
  const abort = new AbortController();
  const inFlight = new Map<string, number>();
  const lastServed = new Map<string, number>();
  const running = new Set<Promise<void>>();
  let served = 0;
  let stopping = false;
  let draining: Promise<void> | undefined;
  let knock = Promise.withResolvers<void>();
  let knocked = false;
  let nextDue: Timer | undefined;

  /** Its breaker has opened: one small batch at a time until one gets through. */
  const isProbe = ({ failures }: WaitingRoute) => failures >= BREAKER_THRESHOLD;
  const keyOf = ({ destination, route }: WaitingRoute) => `${destination} ${route}`;

  function drain(): Promise<void> {
    knocked = true;
    knock.resolve();
    draining ??= drainAll();
    return draining;
  }

  async function drainAll(): Promise<void> {
    try {
      await reclaimExpired(db);
      for (;;) {
        knocked = false;
        knock = Promise.withResolvers();
        const waiting = stopping ? [] : await waitingRoutes(db, db.dialect);
        const started = startBatches(waiting);
        if (running.size > 0) await Promise.race([...running, knock.promise]);
        else if (started === 0 && !knocked) {
          planNext(waiting);
          return;
        }
      }
    } finally {
      // Before anybody else can run: a knock from here on starts a new drain.
      draining = undefined;
    }
  }

  /** Starts a batch for each due route that may have one more, the one served longest ago first. */
  function startBatches(waiting: readonly WaitingRoute[]): number {
    const due = waiting
      .filter((route) => route.dueInMs <= 0 && adapters[route.destination] !== undefined)
      .filter((route) => (inFlight.get(keyOf(route)) ?? 0) < (isProbe(route) ? 1 : PER_ROUTE))
      .sort((a, b) => (lastServed.get(keyOf(a)) ?? 0) - (lastServed.get(keyOf(b)) ?? 0));
    let started = 0;
    for (const route of due) {
      if (running.size >= ALTOGETHER) break;
      const key = keyOf(route);
      inFlight.set(key, (inFlight.get(key) ?? 0) + 1);
      lastServed.set(key, ++served);
      const batch = runBatch(route)
        .catch((error) =>
          log.error({ error, route: route.route }, "a batch could not be handled; its lease will run out"),
        )
        .finally(() => {
          running.delete(batch);
          const left = (inFlight.get(key) ?? 1) - 1;
          if (left === 0) inFlight.delete(key);
          else inFlight.set(key, left);
        });
      running.add(batch);
      started++;
    }
    return started;
  }

  async function runBatch(route: WaitingRoute): Promise<void> {
    const adapter = adapters[route.destination];
    if (!adapter) return;
    const leaseId = newId();
    const rows = await claim(
      db,
      route,
      leaseId,
      isProbe(route) ? Math.min(PROBE_ROWS, adapter.maxBatch) : adapter.maxBatch,
    );
    if (rows.length === 0) {
      await Bun.sleep(CONTENDED_MS);
      return;
    }
    const key = { destination: route.destination, route: route.route };
    await deliver(
      { db, log, adapter, onSettled, signal: abort.signal, failures: route.failures },
      key,
      leaseId,
      rows,
    );
  }

  /** The schedule looks once a second; a row that falls due before that is not kept waiting. */
  function planNext(waiting: readonly WaitingRoute[]): void {
    clearTimeout(nextDue);
    const soonest = Math.min(...waiting.map(({ dueInMs }) => dueInMs).filter((ms) => ms > 0));
    if (soonest < 1_000 && !stopping) nextDue = setTimeout(drainLogged, Math.ceil(soonest) + 1);
  }

  function drainLogged(): void {
    drain().catch((error) => log.warn({ error }, "the outbox could not be read; trying again in a second"));
  }

  async function heartbeat(): Promise<void> {
    const { dispatchers } = db.tables;
    const now = new Date();
    const values = { id, host: hostname(), pid: process.pid, startedAt: now, heartbeatAt: now };
    await db.transaction(async (tx) => {
      await tx
        .insert(dispatchers)
        .values(values)
        .onConflictDoUpdate({ target: dispatchers.id, set: { heartbeatAt: now } });
    });
  }

  const schedules: Cron[] = [];
  let stopListening = () => {};
  return {
    drain,
    start() {
      stopListening = db.listen("outbox", drainLogged);
      const options = { protect: true, unref: true } as const;
      schedules.push(
        new Cron("* * * * * *", options, () => drain().catch((error) => log.warn({ error }, "drain failed"))),
        new Cron(`*/${HEARTBEAT_EVERY_S} * * * * *`, options, () =>
          heartbeat().catch((error) => log.warn({ error }, "heartbeat failed")),
        ),
      );
      heartbeat().catch((error) => log.warn({ error }, "heartbeat failed"));
      drainLogged();
    },
    async stop() {
      stopping = true;
      stopListening();
      for (const schedule of schedules) schedule.stop();
      clearTimeout(nextDue);
      const grace = setTimeout(() => abort.abort(), STOP_GRACE_MS);
      await Promise.allSettled([...running, draining]);
      clearTimeout(grace);
      await db
        .transaction(async (tx) => {
          await tx.delete(db.tables.dispatchers).where(eq(db.tables.dispatchers.id, id));
        })
        .catch((error) => log.warn({ error }, "the dispatcher's heartbeat could not be withdrawn"));
    },
  };
}
