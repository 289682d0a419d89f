import { Elysia } from "elysia";
import type { Database } from "../db/database.ts";
import type { Spool } from "../db/spool.ts";
import { type Build, createExposition } from "../metrics/exposition.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Log } from "../platform/log.ts";
import { ASKS_FOR_KEY, REFUSALS } from "../platform/openapi.ts";
import { createRemembered } from "../platform/remembered.ts";
import { sha256Hex } from "../platform/secrets.ts";
import { addGauges } from "./gauges.ts";
import { createReadiness, type Readiness } from "./readiness.ts";

/** Anybody may ask for `/readyz`, so the database is asked no more often than this. */
const READINESS_MS = 1_000;

interface HealthDeps {
  readonly db: Database;
  readonly spool: Spool;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly build: Build;
  /** Checks the API key; a response where the request may not read. */
  readonly mayRead: (request: Request) => Promise<Response | null>;
}

const NO_STORE = { "cache-control": "no-store" };

/** `/healthz`: the process answers. `/readyz`: all of Ponte works. `/metrics`: the numbers, for holders of a key. */
export function healthPlugin(deps: HealthDeps) {
  const exposition = createExposition(deps.metrics.counted, deps.build);
  addGauges(exposition.registry, deps);
  let lastKey: string | undefined;
  const readiness = createReadiness(deps);
  const remembered = createRemembered<Readiness>(READINESS_MS);
  return new Elysia({ name: "health" })
    .get("/healthz", () => new Response("ok\n", { headers: NO_STORE }), {
      detail: detail("Whether the process answers", { 200: "It does" }),
    })
    .get(
      "/readyz",
      async () => {
        const found = await remembered("readiness", readiness);
        return Response.json(found, { status: found.ready ? 200 : 503, headers: NO_STORE });
      },
      {
        detail: detail("Whether all of Ponte works, with each check", {
          200: "All of it",
          503: "Not all of it; `checks` says what does not",
        }),
      },
    )
    .get(
      "/metrics",
      async ({ request }) => {
        const refusal = await deps.mayRead(request);
        const key = sha256Hex(request.headers.get("authorization") ?? "");
        if (refusal) {
          // Keys lie in the database; when it is away, whoever could read before shall see that it is.
          if (refusal.status !== 503 || key !== lastKey) return refusal;
        } else lastKey = key;
        const text = await exposition.text();
        return new Response(text, {
          headers: { ...NO_STORE, "content-type": exposition.registry.contentType },
        });
      },
      {
        detail: {
          ...detail("Numbers for Prometheus", {
            200: "In its text format",
            401: REFUSALS[401],
          }),
          security: ASKS_FOR_KEY,
        },
      },
    );
}

/** The OpenAPI side of a route: its summary, and what each status says. */
function detail(summary: string, answers: Readonly<Record<number, string>>) {
  const responses = Object.fromEntries(
    Object.entries(answers).map(([status, description]) => [status, { description }]),
  );
  return { tags: ["Health"], summary, responses };
}
