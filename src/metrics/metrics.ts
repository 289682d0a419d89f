import { Counter, Histogram, Registry } from "prom-client";
import { addProcess, type Build } from "./process.ts";
import { newVisitTallies, type VisitTallies } from "./tallies.ts";
import { createTimings, type Timings } from "./timings.ts";
import { addVisits } from "./visits.ts";

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
export function createMetrics(build: Build): Metrics {
  const registry = new Registry();
  const visits = newVisitTallies();
  const http = createTimings(
    "ponte_http_request_duration_seconds",
    "Time from a request's route to its answer, by route pattern and status class.",
    HTTP_BOUNDS_MS,
  );
  addVisits(registry, visits);
  addProcess(registry, build);
  return {
    registry,
    visits,
    onVisit: answersOf(http, "GET", "/go/:slug"),
    onCookies: answersOf(http, "POST", "/api/tracking/cookies"),
    onCommit: commitsIn(registry),
    onDelivery: deliveriesIn(registry),
    onHttp({ method, route, status, durationMs }) {
      http.series({ method, route, status: `${Math.floor(status / 100)}xx` }).observe(durationMs);
    },
    onWebhook: webhooksIn(registry),
    text: async () => `${await registry.metrics()}\n${http.text()}`,
  };
}

/** Times the answers of one hot route, whose series are at hand. */
function answersOf(http: Timings, method: string, route: string): Metrics["onVisit"] {
  const byClass = [0, 1, 2, 3, 4, 5].map((hundreds) =>
    hundreds < 2 ? undefined : http.series({ method, route, status: `${hundreds}xx` }),
  );
  return (status, durationMs) => byClass[Math.floor(status / 100)]?.observe(durationMs);
}

function commitsIn(registry: Registry): Metrics["onCommit"] {
  const sizes = new Histogram({
    name: "ponte_commit_visits",
    help: "Visits that shared a commit.",
    buckets: COMMIT_SIZES,
    registers: [registry],
  });
  const times = new Histogram({
    name: "ponte_commit_duration_seconds",
    help: "Time of a group commit of visits, from its first statement to the disk.",
    buckets: COMMIT_SECONDS,
    registers: [registry],
  });
  return (size, durationMs) => {
    sizes.observe(size);
    times.observe(durationMs / 1000);
  };
}

function deliveriesIn(registry: Registry): Metrics["onDelivery"] {
  const requests = new Counter({
    name: "ponte_delivery_requests_total",
    help: "Requests to Meta and Telegram, by outcome.",
    labelNames: ["destination", "outcome"],
    registers: [registry],
  });
  const events = new Counter({
    name: "ponte_delivery_events_total",
    help: "Events in those requests; an event that is tried again counts again.",
    labelNames: ["destination", "outcome"],
    registers: [registry],
  });
  const times = new Histogram({
    name: "ponte_delivery_duration_seconds",
    help: "Time until Meta or Telegram had answered.",
    labelNames: ["destination"],
    buckets: DELIVERY_SECONDS,
    registers: [registry],
  });
  return ({ destination, outcome, events: n, durationMs }) => {
    requests.inc({ destination, outcome });
    events.inc({ destination, outcome }, n);
    times.observe({ destination }, durationMs / 1000);
  };
}

function webhooksIn(registry: Registry): Metrics["onWebhook"] {
  const webhooks = new Counter({
    name: "ponte_webhooks_total",
    help: "Webhooks by provider (telegram is one) and result.",
    labelNames: ["provider", "result"],
    registers: [registry],
  });
  const providers = new Set(["telegram"]);
  return (provider, status) => {
    // Anybody can post to any name: one becomes a label only once it was answered by more than "not found".
    if (status !== 404 && providers.size < MOST_PROVIDERS) providers.add(provider);
    webhooks.inc({ provider: providers.has(provider) ? provider : "other", result: webhookResult(status) });
  };
}

function webhookResult(status: number): string {
  if (status < 300) return "accepted";
  if (status === 401 || status === 403) return "forged";
  if (status === 404) return "unknown";
  return status < 500 ? "malformed" : "failed";
}
