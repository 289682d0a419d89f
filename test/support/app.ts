import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { otherDoors } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { type Deps, openDeps } from "../../src/deps.ts";
import { createLog } from "../../src/platform/log.ts";
import { secretValues } from "../../src/platform/scrub.ts";
import { createVisitorsApp } from "../../src/visitors-app.ts";
import { createPostgresDatabase } from "./database.ts";

/** Log lines of a test's app, parsed. */
type LogLine = Readonly<Record<string, unknown>> & { readonly level: number; readonly msg?: string };

/**
 * The real app over a fresh database (see `createTestDatabase`), in a data folder of its own and, where
 * `TEST_REDIS_URL` is set, with Redis. `environment` adds settings; `change` may put a
 * stand-in in the place of something.
 */
export async function createTestApp(
  environment: Readonly<Record<string, string>> = {},
  change: (deps: Deps) => Deps = (deps) => deps,
) {
  const dataDir = mkdtempSync(join(tmpdir(), "ponte-app-"));
  const server = process.env.TEST_DATABASE_URL;
  const postgres = server ? await createPostgresDatabase(server) : null;
  const redis = process.env.TEST_REDIS_URL;
  const config = {
    ...readConfig({
      DATABASE_URL: postgres?.url ?? join(dataDir, "ponte.db"),
      PAGEVIEW_HOLD_MS: "0",
      ...(redis && { REDIS_URL: redis }),
      ...environment,
    }),
    dataDir,
  };
  const logLines: LogLine[] = [];
  const destination = { write: (line: string) => void logLines.push(JSON.parse(line)) };
  const log = createLog("debug", destination, secretValues(environment));
  const deps = change(await openDeps(config, log));
  if (deps.redis && deps.redis.status !== "ready") {
    await new Promise((ready) => deps.redis?.once("ready", ready));
  }
  // As serve.ts does, which loads the other doors later.
  const app = createVisitorsApp(deps).use(otherDoors(deps));
  return {
    app,
    deps,
    db: deps.db,
    logLines,
    /** A request to the app, as if it had come over the network. */
    request: (path: string, init?: RequestInit) =>
      app.handle(new Request(`http://bridge.example.com${path}`, init)),
    async dispose() {
      await deps.close();
      await postgres?.remove();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export type TestApp = Awaited<ReturnType<typeof createTestApp>>;
