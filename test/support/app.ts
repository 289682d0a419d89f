import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { type Deps, openDeps } from "../../src/deps.ts";
import { createLog } from "../../src/platform/log.ts";
import { secretValues } from "../../src/platform/scrub.ts";
import { createVisits } from "../../src/visits.ts";
import { type Contract, contractOf } from "./contract.ts";
import { createMigratedPlace } from "./database.ts";

const REDIS_TIMEOUT_MS = 30_000;

/** Log lines of a test's app, parsed. */
type LogLine = Readonly<Record<string, unknown>> & { readonly level: number; readonly msg?: string };

/**
 * The real app over a fresh database (see `createTestDatabase`) unless `environment` names one, in a data folder of
 * its own and, where `TEST_REDIS_URL` is set, with Redis. `environment` adds settings; `change` may put a stand-in in
 * the place of something.
 */
export async function createTestApp(
  environment: Readonly<Record<string, string>> = {},
  change: (deps: Deps) => Deps = (deps) => deps,
) {
  const dataDir = mkdtempSync(join(tmpdir(), "ponte-app-"));
  const place = environment.DATABASE_URL === undefined ? await createMigratedPlace() : undefined;
  const redisUrl = process.env.TEST_REDIS_URL;
  const config = readConfig({
    ...(place && { DATABASE_URL: place.url }),
    DATA_DIR: dataDir,
    PAGEVIEW_HOLD_MS: "0",
    ...(redisUrl && { REDIS_URL: redisUrl }),
    ...environment,
  });
  const logLines: LogLine[] = [];
  const destination = { write: (line: string) => void logLines.push(JSON.parse(line)) };
  const log = createLog("debug", destination, secretValues(environment));
  const deps = change(await openDeps(config, log));
  const { redis } = deps;
  if (redis) {
    // What is tested is what Redis gets and says, and no visitor waits: a busy machine may take its time.
    Object.assign(redis.options, { commandTimeout: REDIS_TIMEOUT_MS, socketTimeout: REDIS_TIMEOUT_MS });
    if (redis.status !== "ready") await new Promise((ready) => redis.once("ready", ready));
  }
  const app: ReturnType<typeof createApp> = createApp(
    deps,
    createVisits(deps, () => app.server),
  );
  return {
    app,
    deps,
    db: deps.db,
    logLines,
    /** A request to the app, as if it had come over the network. @throws Error where its answer breaks the contract */
    async request(path: string, init?: RequestInit): Promise<Response> {
      const request = new Request(`http://bridge.example.com${path}`, init);
      const response = await app.handle(request);
      if (/^\/(api|healthz|readyz|metrics)/.test(path)) {
        contract ??= openContract();
        await (await contract)(request, response);
      }
      return response;
    },
    /** Opens it on a free port of the loopback, until it is disposed of; answers its URL. */
    listen(): string {
      app.listen({ port: 0, hostname: "127.0.0.1" });
      return `http://127.0.0.1:${app.server?.port}`;
    },
    async dispose() {
      await app.server?.stop(true);
      await deps.close();
      await place?.remove();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

let contract: Promise<Contract> | undefined;

/** What the app's OpenAPI document promises: asked of another app, so that no test counts the request. */
async function openContract(): Promise<Contract> {
  const other = await createTestApp();
  const answer = await other.app.handle(new Request("http://localhost/openapi/json"));
  const keepsContract = contractOf(await answer.text());
  await other.dispose();
  return keepsContract;
}

export type TestApp = Awaited<ReturnType<typeof createTestApp>>;
