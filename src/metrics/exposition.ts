import { Counter, Gauge, Registry } from "prom-client";
import type { Counted } from "./metrics.ts";
import type { Tally } from "./tallies.ts";

/** What runs here. */
export interface Build {
  readonly version: string;
  readonly role: string;
}

/** What a process has counted, in Prometheus' text format. */
interface Exposition {
  /** For what else is to be told: others add to it. */
  readonly registry: Registry;
  text(): Promise<string>;
}

/**
 * Apart from the counting because prom-client brings half of Node's standard library along, which no visitor should
 * wait for when a process starts.
 */
export function createExposition(counted: Counted, build: Build): Exposition {
  const registry = new Registry();
  addVisits(registry, counted);
  addDeliveries(registry, counted);
  addProcess(registry, build);
  return {
    registry,
    text: async () =>
      [await registry.metrics(), ...counted.histograms.map((histogram) => histogram.text())].join("\n"),
  };
}

function addVisits(registry: Registry, { visits }: Counted): void {
  addCounter(registry, {
    name: "ponte_visits_total",
    help: "Requests for /go, by what became of them.",
    labelNames: ["result"],
    values: () =>
      by("result", {
        page: visits.page,
        redirect: visits.redirect,
        gate_refused: visits.refusedParam + visits.refusedAutomated,
        rate_limited: visits.rateLimited,
        not_found: visits.notFound,
        unavailable: visits.unavailable,
        looked_ahead: visits.lookedAhead,
      }),
  });
  addCounter(registry, {
    name: "ponte_gate_refusals_total",
    help: "Requests that the gate refused, by reason.",
    labelNames: ["reason"],
    values: () => by("reason", { param: visits.refusedParam, automated: visits.refusedAutomated }),
  });
  addCounter(registry, {
    name: "ponte_visits_recorded_total",
    help: "Accepted visits, by where they were stored.",
    labelNames: ["where"],
    values: () => by("where", { database: visits.committed, spool: visits.spooled, nowhere: visits.lost }),
  });
}

function addDeliveries(registry: Registry, { requests, events, webhooks }: Counted): void {
  addCounter(registry, {
    name: "ponte_delivery_requests_total",
    help: "Requests to Meta and Telegram, by outcome.",
    labelNames: ["destination", "outcome"],
    values: requests.entries,
  });
  addCounter(registry, {
    name: "ponte_delivery_events_total",
    help: "Events in those requests; an event that is tried again counts again.",
    labelNames: ["destination", "outcome"],
    values: events.entries,
  });
  addCounter(registry, {
    name: "ponte_webhooks_total",
    help: "Webhooks by provider (telegram is one) and result.",
    labelNames: ["provider", "result"],
    values: webhooks.entries,
  });
}

/** What the process itself needs, and what it is, under Prometheus' usual names. */
function addProcess(registry: Registry, build: Build): void {
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  const startedSeconds = (Date.now() - process.uptime() * 1000) / 1000;
  gauge("process_resident_memory_bytes", "Resident memory.", () => process.memoryUsage.rss());
  gauge("process_start_time_seconds", "Start of the process, Unix time.", () => startedSeconds);
  addCounter(registry, {
    name: "process_cpu_seconds_total",
    help: "User and system CPU time.",
    labelNames: [],
    values: () => {
      const { user, system } = process.cpuUsage();
      return [[{}, (user + system) / 1e6]];
    },
  });
  new Gauge({
    name: "ponte_build_info",
    help: "Always 1; the labels say what runs.",
    labelNames: ["version", "role"],
    registers: [registry],
  }).set({ version: build.version, role: build.role }, 1);
}

interface CounterSpec<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly L[];
  readonly values: Tally<L>["entries"];
}

/** A counter whose numbers are kept elsewhere, and read whenever somebody asks. */
function addCounter<L extends string>(
  registry: Registry,
  { name, help, labelNames, values }: CounterSpec<L>,
): void {
  new Counter({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, n] of values()) this.inc(labels, n);
    },
  });
}

/** Numbers by name, as values of one label. */
function by(label: string, numbers: Readonly<Record<string, number>>): ReturnType<Tally<string>["entries"]> {
  return Object.entries(numbers).map(([value, n]) => [{ [label]: value }, n]);
}
