import { Elysia } from "elysia";
import { z } from "zod";
import type { Database } from "../db/database.ts";
import type { Spool } from "../db/spool/spool.ts";
import { type Build, createExposition } from "../metrics/exposition.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { createCache } from "../platform/cache.ts";
import { sha256Hex } from "../platform/digests.ts";
import type { Log } from "../platform/log.ts";
import { ASKS_FOR_KEY, jsonAnswer, problemAnswers, REFUSALS, textAnswer } from "../platform/openapi.ts";
import { addGauges } from "./gauges.ts";
import { createReadiness, type Readiness, readinessSchema } from "./readiness.ts";

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
  const cached = createCache<Readiness>(READINESS_MS);
  return new Elysia({ name: "health" })
    .get("/healthz", () => new Response("ok\n", { headers: NO_STORE }), {
      detail: {
        tags: ["Health"],
        summary: "Whether the process answers",
        responses: { 200: textAnswer("It does: ok") },
      },
    })
    .get(
      "/readyz",
      async () => {
        const found = await cached("readiness", readiness);
        return Response.json(found, { status: found.ready ? 200 : 503, headers: NO_STORE });
      },
      {
        detail: {
          tags: ["Health"],
          summary: "Whether all of Ponte works, with each check",
          responses: {
            200: jsonAnswer("All of it", readinessSchema.extend({ ready: z.literal(true) })),
            503: jsonAnswer(
              "Not all of it; `checks` says what does not",
              readinessSchema.extend({ ready: z.literal(false) }),
            ),
          },
        },
      },
    )
    .get(
      "/metrics",
      async ({ request }) => {
        const refusal = await deps.mayRead(request);
        const key = sha256Hex(request.headers.get("authorization") ?? "");
        // Keys lie in the database; when it is away, whoever could read before shall see that it is.
        const couldReadBefore = refusal?.status === 503 && key === lastKey;
        if (refusal && !couldReadBefore) {
          // It was revoked since.
          if (key === lastKey) lastKey = undefined;
          return refusal;
        }
        lastKey = key;
        const text = await exposition.text();
        return new Response(text, {
          headers: { ...NO_STORE, "content-type": exposition.registry.contentType },
        });
      },
      {
        detail: {
          tags: ["Health"],
          summary: "Numbers for Prometheus",
          security: ASKS_FOR_KEY,
          responses: {
            200: textAnswer("In its text format"),
            ...problemAnswers({ 401: REFUSALS[401], 503: "The key cannot be checked right now" }),
          },
        },
      },
    );
}
