import { sql } from "drizzle-orm";
import { Gauge, type Registry } from "prom-client";
import type { Database } from "../db/database.ts";
import type { Spool } from "../db/spool.ts";
import { ALIVE_MS } from "../outbox/heartbeat.ts";
import { type OutboxSample, sampleOutbox } from "../outbox/sample.ts";
import { withDeadline } from "../platform/deadline.ts";
import type { Log } from "../platform/log.ts";
import { testingPools } from "../pools/testing-pools.ts";
import { cached } from "./cached.ts";

const SAMPLE_MS = 5_000;
const PATIENCE_MS = 5_000;

/** What is measured when somebody asks: the outbox in the database, and this machine's spool. */
export function addGauges(registry: Registry, deps: { db: Database; spool: Spool; log: Log }): void {
  const { db, spool, log } = deps;
  const registers = [registry];
  const sample = cached(SAMPLE_MS, async (): Promise<OutboxSample | null> => {
    try {
      return await withDeadline(sampleOutbox(db, ALIVE_MS), PATIENCE_MS);
    } catch (error) {
      log.warn({ error, todo: db.advice(error) }, "the outbox could not be measured for the metrics");
      return null;
    }
  });

  const testing = cached(SAMPLE_MS, async () => {
    try {
      return await withDeadline(testingPools(db), PATIENCE_MS);
    } catch (error) {
      log.warn({ error, todo: db.advice(error) }, "the pools could not be looked at for the metrics");
      return [];
    }
  });

  const isUp = cached(SAMPLE_MS, () =>
    withDeadline(db.rows(sql`select 1 as one`), PATIENCE_MS).then(
      () => true,
      () => false,
    ),
  );

  /** A gauge whose values come from the sample; with none, it has none. */
  const sampled = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    values: (of: OutboxSample) => readonly (readonly [Record<L, string>, number])[],
  ) =>
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers,
      async collect() {
        const taken = await sample();
        this.reset();
        for (const [labels, value] of taken ? values(taken) : []) this.set(labels, value);
      },
    });

  const route = ["destination", "route"] as const;
  new Gauge({
    name: "ponte_database_up",
    help: "Whether the database answers.",
    registers,
    async collect() {
      this.set((await isUp()) ? 1 : 0);
    },
  });
  sampled(
    "ponte_outbox_events",
    "Events not delivered, by route and status. Counting stops at 50 000 pending, all routes together, and 2 000 dead.",
    [...route, "status"],
    ({ depths }) =>
      depths.map(({ destination, route, status, events }) => [{ destination, route, status }, events]),
  );
  sampled(
    "ponte_outbox_oldest_seconds",
    "Age of the oldest pending event, among those of a route whose turn is next.",
    route,
    ({ depths }) =>
      depths.flatMap(({ destination, route, oldestSeconds }) =>
        oldestSeconds === null ? [] : [[{ destination, route }, oldestSeconds] as const],
      ),
  );
  sampled(
    "ponte_outbox_route_held",
    "1 for a route that is paused, throttled or resting; absent for a healthy one.",
    [...route, "state"],
    ({ held }) => held.map(({ destination, route, state }) => [{ destination, route, state }, 1]),
  );
  new Gauge({
    name: "ponte_pools_testing",
    help: "1 for a pool that is on and has a test_event_code; absent for the others.",
    labelNames: ["pool"],
    registers,
    async collect() {
      const pools = await testing();
      this.reset();
      for (const { slug } of pools) this.set({ pool: slug }, 1);
    },
  });
  new Gauge({
    name: "ponte_dispatchers_alive",
    help: "Dispatchers that gave a sign of life in the last minute, on all machines.",
    registers,
    async collect() {
      const taken = await sample();
      this.set(taken ? taken.dispatchersAlive : Number.NaN);
    },
  });
  new Gauge({
    name: "ponte_spool_visits",
    help: "Visits on this machine's disk: waiting for the database, or set aside for a person.",
    labelNames: ["state"],
    registers,
    collect() {
      const { waiting, setAside } = spool.counts();
      this.set({ state: "waiting" }, waiting);
      this.set({ state: "set_aside" }, setAside);
    },
  });
}
