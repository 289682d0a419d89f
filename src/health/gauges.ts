import { sql } from "drizzle-orm";
import { Gauge, type Registry } from "prom-client";
import type { Database } from "../db/database.ts";
import type { Spool } from "../db/spool/spool.ts";
import { sampleOutbox } from "../outbox/sample.ts";
import { createCache } from "../platform/cache.ts";
import { withDeadline } from "../platform/deadline.ts";
import type { Log } from "../platform/log.ts";
import { testingPools } from "../pools/testing-pools.ts";

const SAMPLE_MS = 5_000;
const TIMEOUT_MS = 5_000;

interface GaugeDeps {
  readonly db: Database;
  readonly spool: Spool;
  readonly log: Log;
}

/** What is measured when somebody asks: the outbox in the database, and this machine's spool. */
export function addGauges(registry: Registry, deps: GaugeDeps): void {
  addDatabase(registry, deps);
  addOutbox(registry, deps);
  addPools(registry, deps);
  addSpool(registry, deps);
}

function addDatabase(registry: Registry, { db }: GaugeDeps): void {
  const cached = createCache<0 | 1>(SAMPLE_MS);
  const up = () =>
    withDeadline(db.rows(sql`select 1 as one`), TIMEOUT_MS).then(
      () => 1 as const,
      () => 0 as const,
    );
  addGauge(registry, {
    name: "ponte_database_up",
    help: "Whether the database answers.",
    labelNames: [],
    values: async () => [[{}, await cached("up", up)]],
  });
}

function addOutbox(registry: Registry, deps: GaugeDeps): void {
  const sample = sampled(deps, "the outbox could not be measured for the metrics", () =>
    sampleOutbox(deps.db),
  );
  const routeLabels = ["destination", "route"] as const;
  addGauge(registry, {
    name: "ponte_outbox_events",
    help: "Events not delivered, by route and status. Counting stops at 50 000 pending, all routes together, and 2 000 dead.",
    labelNames: [...routeLabels, "status"],
    values: async () =>
      (await sample())?.depths.map(({ destination, route, status, events }) => [
        { destination, route, status },
        events,
      ]),
  });
  addGauge(registry, {
    name: "ponte_outbox_oldest_seconds",
    help: "Age of the oldest pending event, among those of a route whose turn is next.",
    labelNames: routeLabels,
    values: async () =>
      (await sample())?.depths.flatMap(({ destination, route, oldestSeconds }) =>
        oldestSeconds === null ? [] : [[{ destination, route }, oldestSeconds] as const],
      ),
  });
  addGauge(registry, {
    name: "ponte_outbox_route_held",
    help: "1 for a route that is paused, throttled or resting; absent for a healthy one.",
    labelNames: [...routeLabels, "state"],
    values: async () =>
      (await sample())?.held.map(({ destination, route, state }) => [{ destination, route, state }, 1]),
  });
  addGauge(registry, {
    name: "ponte_dispatchers_alive",
    help: "Dispatchers that gave a sign of life in the last minute, on all machines.",
    labelNames: [],
    values: async () => [[{}, (await sample())?.dispatchersAlive ?? Number.NaN]],
  });
}

function addPools(registry: Registry, deps: GaugeDeps): void {
  const testing = sampled(deps, "the pools could not be looked at for the metrics", () =>
    testingPools(deps.db),
  );
  addGauge(registry, {
    name: "ponte_pools_testing",
    help: "1 for a pool that is on and has a test_event_code; absent for the others.",
    labelNames: ["pool"],
    values: async () => (await testing())?.map(({ slug }) => [{ pool: slug }, 1]),
  });
}

function addSpool(registry: Registry, { spool, log }: GaugeDeps): void {
  addGauge(registry, {
    name: "ponte_spool_visits",
    help: "Visits on this machine's disk: waiting for the database, or set aside for a person.",
    labelNames: ["state"],
    values: async () => {
      try {
        const { waiting, setAside } = spool.counts();
        return [
          [{ state: "waiting" }, waiting],
          [{ state: "set_aside" }, setAside],
        ];
      } catch (error) {
        // Absent, so that nobody takes it for empty; and the other numbers are there.
        log.warn({ error }, "the spool could not be counted for the metrics");
        return undefined;
      }
    },
  });
}

/** What the database is asked for the metrics: seldom and not for long. Null, and a line in the log, where it fails. */
function sampled<T>({ db, log }: GaugeDeps, failure: string, ask: () => Promise<T>): () => Promise<T | null> {
  const cached = createCache<T | null>(SAMPLE_MS);
  const read = () =>
    withDeadline(ask(), TIMEOUT_MS).catch((error) => {
      log.warn({ error, todo: db.advice(error) }, failure);
      return null;
    });
  return () => cached("sample", read);
}

type Value<L extends string> = readonly [labels: Readonly<Record<L, string>>, value: number];

interface GaugeSpec<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly L[];
  readonly values: () => Promise<readonly Value<L>[] | undefined>;
}

/** A gauge whose values are looked up whenever somebody asks; what has none any more is absent. */
function addGauge<L extends string>(
  registry: Registry,
  { name, help, labelNames, values }: GaugeSpec<L>,
): void {
  new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    async collect() {
      const found = await values();
      this.reset();
      for (const [labels, value] of found ?? []) this.set(labels, value);
    },
  });
}
