import { createHistogram, type Histogram } from "./histogram.ts";
import { newTally, newVisitTallies, type Tally, type VisitTallies } from "./tallies.ts";

const HTTP_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];
const COMMIT_SIZES = [1, 2, 5, 10, 25, 50, 100, 250, 500];
const COMMIT_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500];
const DELIVERY_MS = [25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000];

/** A request made by a dispatcher. */
interface DeliveryFact {
  readonly destination: string;
  readonly outcome: string;
  readonly events: number;
  readonly durationMs: number;
}

/** An HTTP request answered; `route` is the pattern, never the path. */
interface HttpFact {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
}

/** What a process has counted of itself so far; `exposition.ts` puts it into Prometheus' words. */
export interface Counted {
  readonly visits: VisitTallies;
  readonly requests: Tally<"destination" | "outcome">;
  readonly events: Tally<"destination" | "outcome">;
  readonly webhooks: Tally<"provider" | "result">;
  readonly histograms: readonly Histogram[];
}

/** What one process counts of itself, as plain numbers: whoever counts looks little up, and loads nothing. */
export interface Metrics {
  readonly counted: Counted;
  onVisit(status: number, durationMs: number): void;
  /** For `POST /api/tracking/cookies`, which every visit's browser asks. */
  onCookies(status: number, durationMs: number): void;
  onCommit(size: number, durationMs: number): void;
  onDelivery(fact: DeliveryFact): void;
  onHttp(fact: HttpFact): void;
  /** A webhook's answer; `provider` as its path names it. */
  onWebhook(provider: string, status: number): void;
}

/**
 * The counts of a process, from nothing. They belong to one app: two in one process, as in the tests, share none.
 *
 * @param providers those that are set up: anybody can ask for any name, and the rest count together
 */
export function createMetrics(providers: Iterable<string>): Metrics {
  const visits = newVisitTallies();
  const http = createHistogram({
    name: "ponte_http_request_duration_seconds",
    help: "Time from a request's route to its answer, by route pattern and status class.",
    bounds: HTTP_MS,
    scale: 1_000,
  });
  const commits = countCommits();
  const deliveries = countDeliveries();
  const webhooks = countWebhooks(new Set([...providers, "telegram"]));
  return {
    counted: {
      visits,
      requests: deliveries.requests,
      events: deliveries.events,
      webhooks: webhooks.tally,
      histograms: [http, ...commits.histograms, deliveries.times],
    },
    onVisit: answersOf(http, "GET", "/go/:slug"),
    onCookies: answersOf(http, "POST", "/api/tracking/cookies"),
    onCommit: commits.count,
    onDelivery: deliveries.count,
    onHttp({ method, route, status, durationMs }) {
      http.series({ method, route, status: `${Math.floor(status / 100)}xx` }).observe(durationMs);
    },
    onWebhook: webhooks.count,
  };
}

/** Times the answers of one hot route, whose series are at hand. */
function answersOf(http: Histogram, method: string, route: string): Metrics["onVisit"] {
  const from200 = [2, 3, 4, 5].map((hundreds) => http.series({ method, route, status: `${hundreds}xx` }));
  return (status, durationMs) => from200[Math.floor(status / 100) - 2]?.observe(durationMs);
}

function countCommits() {
  const sizes = createHistogram({
    name: "ponte_commit_visits",
    help: "Visits that shared a commit.",
    bounds: COMMIT_SIZES,
  });
  const times = createHistogram({
    name: "ponte_commit_duration_seconds",
    help: "Time of a group commit of visits, from its first statement to the disk.",
    bounds: COMMIT_MS,
    scale: 1_000,
  });
  const [size, time] = [sizes.series(), times.series()];
  return {
    histograms: [sizes, times],
    count(visits: number, durationMs: number): void {
      size.observe(visits);
      time.observe(durationMs);
    },
  };
}

function countDeliveries() {
  const requests = newTally<"destination" | "outcome">();
  const events = newTally<"destination" | "outcome">();
  const times = createHistogram({
    name: "ponte_delivery_duration_seconds",
    help: "Time until Meta or Telegram had answered.",
    bounds: DELIVERY_MS,
    scale: 1_000,
  });
  return {
    requests,
    events,
    times,
    count({ destination, outcome, events: n, durationMs }: DeliveryFact): void {
      requests.add({ destination, outcome });
      events.add({ destination, outcome }, n);
      times.series({ destination }).observe(durationMs);
    },
  };
}

function countWebhooks(providers: ReadonlySet<string>) {
  const tally = newTally<"provider" | "result">();
  return {
    tally,
    count(provider: string, status: number): void {
      tally.add({ provider: providers.has(provider) ? provider : "other", result: webhookResult(status) });
    },
  };
}

function webhookResult(status: number): string {
  if (status < 300) return "accepted";
  if (status === 401) return "forged";
  if (status === 404) return "unknown";
  return status < 500 ? "malformed" : "failed";
}
