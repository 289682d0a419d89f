import { type App, createApp, createDispatcherApp } from "./app.ts";
import { ConfigError, readConfig } from "./config.ts";
import { type Deps, openDeps } from "./deps.ts";
import { ensureOperatorPassword } from "./ops/auth/password.ts";
import { createLog, type Log } from "./platform/log.ts";
import { secretValues } from "./platform/scrub.ts";
import { startServices } from "./services.ts";

/** A stop that takes longer than this is cut short: leases run out by themselves and commits are atomic. */
const STOP_DEADLINE_MS = 10_000;

/** How long a stop waits for requests under way; a client that sends slower than this is cut off. */
const REQUESTS_DEADLINE_MS = 4_000;

/** Requests bigger than this are refused by the server before any of our code sees them. */
const MAX_REQUEST_BYTES = 2 * 1024 * 1024;

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog(config.logLevel, undefined, secretValues(process.env));
  const deps = await openDeps(config, log);
  const services = await startServices(deps);
  if (config.role !== "dispatcher") {
    deps.writer.start();
    await showFirstPassword(deps, log);
  }
  const app = config.role === "dispatcher" ? createDispatcherApp(deps) : createApp(deps);
  app.listen({
    hostname: config.host,
    port: config.port,
    reusePort: true,
    maxRequestBodySize: MAX_REQUEST_BYTES,
    idleTimeout: 30,
  });
  log.info({ host: config.host, port: app.server?.port, role: config.role }, "ready");

  let stopping = false;
  async function stop(signal: string): Promise<void> {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, "stopping: finishing requests and commits");
    setTimeout(() => {
      log.error({ deadlineMs: STOP_DEADLINE_MS }, "stopping took too long and is cut short");
      process.exit(1);
    }, STOP_DEADLINE_MS).unref();
    await Promise.all([stopAnswering(app), services.stop()]);
    await deps.close();
    log.info("stopped");
    process.exit(0);
  }
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

/** Takes no more requests and lets those under way finish, within a deadline: one slow client keeps nobody from stopping. */
async function stopAnswering(app: App): Promise<void> {
  const cutOff = setTimeout(() => void app.stop(true), REQUESTS_DEADLINE_MS);
  await app.stop();
  clearTimeout(cutOff);
}

/** Visitors come first: without a password, or a database to keep it in, the console alone stays shut. */
async function showFirstPassword({ db, config }: Deps, log: Log): Promise<void> {
  try {
    const password = await ensureOperatorPassword(db, config);
    // Not through the log: it may be kept, and shipped elsewhere.
    if (password !== null) console.log(`The console's password, shown this once: ${password}`);
  } catch (error) {
    log.error({ error, todo: db.advice(error) }, "the console's password could not be read or made");
  }
}

main().catch((error) => {
  if (error instanceof ConfigError) {
    for (const line of error.lines) console.error(line);
  } else {
    console.error(error instanceof Error ? `Ponte could not start: ${error.message}` : error);
  }
  process.exit(1);
});
