import { Elysia, type ValidationError } from "elysia";
import { type BoundedList, boundedList } from "./bounded.ts";
import { createEventLog, type EventLog } from "./event-log.ts";
import { metaRoutes } from "./meta.ts";
import { SandboxPage } from "./page.tsx";
import { providerRoutes } from "./providers.ts";
import { createRequestLog, type ReceivedRequest } from "./request-log.ts";
import { telegramRoutes } from "./telegram.ts";
import type { CallLog, TelegramCall } from "./telegram-calls.ts";

/** Settings of a sandbox; every one has a default. */
export interface SandboxOptions {
  /** Events listed in full (100 000, about 200 MB of typical events); older ones are only counted. */
  readonly maxEvents?: number;
  /** Event ids remembered for deduplication (1 000 000). */
  readonly maxEventIds?: number;
  /** Requests and Telegram calls listed, each (20 000). */
  readonly maxRequests?: number;
  /** The clock, milliseconds since 1970. */
  readonly now?: () => number;
}

/** A sandbox without a port: answers requests, and shows what it received. */
interface Sandbox {
  /** Never rejects. A `reset` answers with a body that fails: only a real server can break the connection. */
  readonly fetch: (request: Request) => Promise<Response>;
  readonly events: EventLog;
  readonly requests: BoundedList<ReceivedRequest>;
  readonly calls: CallLog;
}

/** A sandbox that listens. */
export type RunningSandbox = Sandbox & {
  /** Without a trailing slash, as `META_GRAPH_URL` and `TELEGRAM_API_URL` take it. */
  readonly url: string;
  readonly port: number;
  /** Closes every connection, also those that wait. */
  stop(): Promise<void>;
};

const LARGEST_BODY_BYTES = 64 * 1024 * 1024;

/**
 * Makes the stand-in for Meta, Telegram and the payment providers. It shares no code with what it tests: a rule
 * misunderstood once must fail loudly. A further stand-in is one more plugin here, given `{ now, requests }`.
 */
function createSandbox(options: SandboxOptions): Sandbox {
  const now = options.now ?? Date.now;
  const events = createEventLog({
    maxEvents: options.maxEvents ?? 100_000,
    maxEventIds: options.maxEventIds ?? 1_000_000,
  });
  const maxRequests = options.maxRequests ?? 20_000;
  const requests = createRequestLog(maxRequests, now);
  const calls = boundedList<TelegramCall>(maxRequests);

  const app = new Elysia({ name: "sandbox" })
    .onError(({ code, error, status }) => {
      if (code === "NOT_FOUND") return status(404, { error: "unknown path or method" });
      if (code === "VALIDATION") return status(400, { error: error.all.map(fieldProblem).join("; ") });
      if (code === "PARSE") return status(400, { error: "the body must be JSON" });
      console.error("sandbox:", error);
      return status(500, { error: "the sandbox itself failed; its log says why" });
    })
    .get("/healthz", () => ({ status: "ok" }))
    .get("/", () => page({ events, requests: requests.list, calls }))
    .get("/requests", () => requests.list.items())
    .delete("/requests", ({ status }) => {
      requests.list.clear();
      return status(204);
    })
    .use(metaRoutes({ now, events, requests }))
    .use(telegramRoutes({ now, requests, calls }))
    .use(providerRoutes({ now, requests }));

  async function answer(request: Request): Promise<Response> {
    const response = await app.fetch(request);
    // As Meta's, its answers tell its own time.
    response.headers.set("date", new Date(now()).toUTCString());
    return response;
  }

  return { fetch: answer, events, requests: requests.list, calls };
}

/** Starts a sandbox on a port (0 picks a free one); on loopback unless another `hostname` is given. */
export async function startSandbox(
  options: SandboxOptions & { readonly port?: number; readonly hostname?: string } = {},
): Promise<RunningSandbox> {
  const sandbox = createSandbox(options);
  const server = Bun.serve({
    port: options.port ?? 0,
    hostname: options.hostname ?? "127.0.0.1",
    development: false,
    // Bun's default would let a second sandbox share the port, and each then receives some of what both are sent.
    reusePort: false,
    maxRequestBodySize: LARGEST_BODY_BYTES,
    idleTimeout: 0, // A latency fault may hold a request for minutes.
    fetch: sandbox.fetch,
  });
  const port = server.port ?? 0;
  return {
    ...sandbox,
    url: server.url.origin,
    port,
    stop: () => server.stop(true),
  };
}

/** One wrong field of a control request, such as `mode: Invalid option: …`. */
function fieldProblem({ path, message }: ValidationError["all"][number]): string {
  return `${path ?? ""}: ${message ?? "invalid"}`;
}

const LISTED_ON_PAGE = 50;

async function page({ events, requests, calls }: Pick<Sandbox, "events" | "requests" | "calls">) {
  const html = await SandboxPage({
    count: events.count(),
    events: events.list({}, LISTED_ON_PAGE),
    requests: requests.newest(LISTED_ON_PAGE),
    calls: calls.newest(LISTED_ON_PAGE),
  });
  return new Response(html, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    },
  });
}
