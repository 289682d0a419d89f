import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { newVisitTallies, type VisitTallies } from "./tallies.ts";
import { createTimings } from "./timings.ts";

const HTTP_BOUNDS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];
const COMMIT_SIZES = [1, 2, 5, 10, 25, 50, 100, 250, 500];
const COMMIT_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const DELIVERY_SECONDS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Names that a webhook's path may add to the labels; the rest count together. */
const MOST_PROVIDERS = 20;

/** A request made by a dispatcher. */
export interface DeliveryFact {
  readonly destination: string;
  readonly outcome: string;
  readonly events: number;
  readonly durationMs: number;
}

/** An HTTP request answered; `route` is the pattern, never the path. */
export interface HttpFact {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
}

/** What one process counts of itself. Everything is plain numbers until somebody asks for the text. */
export interface Metrics {
  readonly registry: Registry;
  /** For `GET /go`, which looks nothing up. */
  readonly visits: VisitTallies;
  onVisit(status: number, durationMs: number): void;
  /** For `POST /api/tracking/cookies`, which every visit's browser asks. */
  onCookies(status: number, durationMs: number): void;
  onCommit(size: number, durationMs: number): void;
  onDelivery(fact: DeliveryFact): void;
  onHttp(fact: HttpFact): void;
  /** A webhook's answer; `provider` as its path names it. */
  onWebhook(provider: string, status: number): void;
  /** All of it, in Prometheus' text format. */
  text(): Promise<string>;
}

/** Metrics in a registry of their own: two apps in one process (as in the tests) do not share any. */
export function createMetrics(build: { readonly version: string; readonly role: string }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const visits = newVisitTallies();
  const http = createTimings(
    "ponte_http_request_duration_seconds",
    "Time from a request's route to its answer, by route pattern and status class.",
    HTTP_BOUNDS_MS,
  );
  /** Times the answers of one hot route, whose series are at hand. */
  const answersOf = (method: string, route: string) => {
    const byClass = [0, 1, 2, 3, 4, 5].map((hundreds) =>
      hundreds < 2 ? undefined : http.series({ method, route, status: `${hundreds}xx` }),
    );
    return (status: number, durationMs: number) => byClass[Math.floor(status / 100)]?.observe(durationMs);
  };
  addVisits(registry, visits);
  addProcess(registry, build);

  const commitSize = new Histogram({
    name: "ponte_commit_visits",
    help: "Visits that shared a commit.",
    buckets: COMMIT_SIZES,
    registers,
  });
  const commitTime = new Histogram({
    name: "ponte_commit_duration_seconds",
    help: "Time of a group commit of visits, from its first statement to the disk.",
    buckets: COMMIT_SECONDS,
    registers,
  });
  const requests = new Counter({
    name: "ponte_delivery_requests_total",
    help: "Requests to Meta and Telegram, by outcome.",
    labelNames: ["destination", "outcome"],
    registers,
  });
  const events = new Counter({
    name: "ponte_delivery_events_total",
    help: "Events in those requests; an event that is tried again counts again.",
    labelNames: ["destination", "outcome"],
    registers,
  });
  const deliveryTime = new Histogram({
    name: "ponte_delivery_duration_seconds",
    help: "Time until Meta or Telegram had answered.",
    labelNames: ["destination"],
    buckets: DELIVERY_SECONDS,
    registers,
  });
  const webhooks = new Counter({
    name: "ponte_webhooks_total",
    help: "Webhooks by provider (telegram is one) and result.",
    labelNames: ["provider", "result"],
    registers,
  });
  const providers = new Set(["telegram"]);

  return {
    registry,
    visits,
    onVisit: answersOf("GET", "/go/:slug"),
    onCookies: answersOf("POST", "/api/tracking/cookies"),
    onCommit(size, durationMs) {
      commitSize.observe(size);
      commitTime.observe(durationMs / 1000);
    },
    onDelivery({ destination, outcome, events: n, durationMs }) {
      requests.inc({ destination, outcome });
      events.inc({ destination, outcome }, n);
      deliveryTime.observe({ destination }, durationMs / 1000);
    },
    onHttp({ method, route, status, durationMs }) {
      http.series({ method, route, status: `${Math.floor(status / 100)}xx` }).observe(durationMs);
    },
    onWebhook(provider, status) {
      // Anybody can post to any name: one becomes a label only once it was answered by more than "not found".
      if (status !== 404 && providers.size < MOST_PROVIDERS) providers.add(provider);
      webhooks.inc({ provider: providers.has(provider) ? provider : "other", result: webhookResult(status) });
    },
    text: async () => `${await registry.metrics()}\n${http.text()}`,
  };
}

function webhookResult(status: number): string {
  if (status < 300) return "accepted";
  if (status === 401 || status === 403) return "forged";
  if (status === 404) return "unknown";
  return status < 500 ? "malformed" : "failed";
}

/** The visits' plain numbers under their names. */
function addVisits(registry: Registry, visits: VisitTallies): void {
  const counter = (
    name: string,
    help: string,
    label: string,
    values: () => Readonly<Record<string, number>>,
  ) =>
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [value, n] of Object.entries(values())) this.inc({ [label]: value }, n);
      },
    });
  counter("ponte_visits_total", "Requests for /go, by what became of them.", "result", () => ({
    page: visits.page,
    redirect: visits.redirect,
    gate_refused: visits.refusedParam + visits.refusedAutomated,
    rate_limited: visits.rateLimited,
    not_found: visits.notFound,
    unavailable: visits.unavailable,
    looked_ahead: visits.lookedAhead,
  }));
  counter("ponte_gate_refusals_total", "Requests that the gate refused, by reason.", "reason", () => ({
    param: visits.refusedParam,
    automated: visits.refusedAutomated,
  }));
  counter("ponte_visits_recorded_total", "Accepted visits, by where they were stored.", "where", () => ({
    database: visits.committed,
    spool: visits.spooled,
    nowhere: visits.lost,
  }));
}

function addProcess(registry: Registry, build: { readonly version: string; readonly role: string }): void {
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
  new Counter({
    name: "process_cpu_seconds_total",
    help: "User and system CPU time.",
    registers: [registry],
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: "ponte_build_info",
    help: "Always 1; the labels say what runs.",
    labelNames: ["version", "role"],
    registers: [registry],
  }).set({ version: build.version, role: build.role }, 1);
}
