import { Elysia } from "elysia";
import type { Database } from "../db/database.ts";
import type { Spool } from "../db/spool.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Log } from "../platform/log.ts";
import { sha256Hex } from "../platform/secrets.ts";
import { cached } from "./cached.ts";
import { addGauges } from "./gauges.ts";
import { createReadiness } from "./readiness.ts";

/** Anybody may ask for `/readyz`, so the database is asked no more often than this. */
const READINESS_MS = 1_000;

export interface HealthDeps {
  readonly db: Database;
  readonly spool: Spool;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Checks the API key; a response where the request may not read. */
  readonly mayRead: (request: Request) => Promise<Response | null>;
}

const NO_STORE = { "cache-control": "no-store" };

/** `/healthz`: the process answers. `/readyz`: all of Ponte works. `/metrics`: the numbers, for holders of a key. */
export function healthPlugin(deps: HealthDeps) {
  addGauges(deps.metrics.registry, deps);
  let lastKey: string | undefined;
  const ready = cached(READINESS_MS, createReadiness(deps));
  return new Elysia({ name: "health" })
    .get("/healthz", () => new Response("ok\n", { headers: NO_STORE }))
    .get("/readyz", async () => {
      const found = await ready();
      return Response.json(found, { status: found.ready ? 200 : 503, headers: NO_STORE });
    })
    .get("/metrics", async ({ request }) => {
      const refusal = await deps.mayRead(request);
      const key = sha256Hex(request.headers.get("authorization") ?? "");
      if (refusal) {
        // Keys lie in the database; when it is away, whoever could read before shall see that it is.
        if (refusal.status !== 503 || key !== lastKey) return refusal;
      } else lastKey = key;
      const text = await deps.metrics.text();
      return new Response(text, {
        headers: { ...NO_STORE, "content-type": deps.metrics.registry.contentType },
      });
    });
}
