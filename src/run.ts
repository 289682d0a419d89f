import type { AnyElysia } from "elysia";
import type { Config } from "./config.ts";
import { type Deps, openDeps } from "./deps.ts";
import { type Behind, type Door, openDispatcherDoor, openDoor, VISITORS_FIRST_MS } from "./door.ts";
import type { EarlyDoor } from "./early-door.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { askedToStop } from "./platform/asked-to-stop.ts";
import { DAY_MS } from "./platform/durations.ts";
import { createLog } from "./platform/log.ts";
import { retryUntilSuccess } from "./platform/retry-until-success.ts";
import { secretValues } from "./platform/scrub.ts";
import type { VisitHandler } from "./redirect/visit.ts";
import type { Services } from "./services.ts";
import { createVisits } from "./visits.ts";

/** A stop that takes longer than this is cut short: leases run out by themselves and commits are atomic. */
const STOP_DEADLINE_MS = 10_000;

/** How long a stop waits for requests under way; a client that sends slower than this is cut off. */
const REQUESTS_DEADLINE_MS = 4_000;

/** A start whose door is open already. */
interface EarlyStart extends EarlyDoor {
  readonly stopAsked: Promise<string>;
}

/**
 * Runs the process until a signal ends it.
 *
 * @throws what it cannot start without
 */
export async function run(config: Config, metrics: Metrics, early: EarlyStart | null): Promise<void> {
  const log = createLog(config.logLevel, undefined, secretValues(process.env));
  const deps = await openDeps(config, log, metrics);
  const started = config.role === "dispatcher" ? await dispatch(deps) : await receive(deps, early);
  const { door, app, services } = started;
  // Its door would keep the process from ending.
  if (!door) setInterval(() => undefined, DAY_MS);
  log.info({ host: config.host, port: door?.server.port, role: config.role }, "ready");

  async function stop(signal: string): Promise<void> {
    log.info({ signal }, "stopping: finishing requests and commits");
    setTimeout(() => {
      log.error({ deadlineMs: STOP_DEADLINE_MS }, "stopping took too long and is cut short");
      log.flush(() => process.exit(1));
    }, STOP_DEADLINE_MS).unref();
    // What is committed is safe all the same, and whatever else is open must still be closed.
    const failed = (error: unknown) =>
      log.error({ error }, "a part of the process did not stop as it should");
    const stopped = services.then((running) => running.stop()).catch(failed);
    await Promise.all([stopAnswering(door), stopped]);
    if (door) await app.then((loaded) => loaded.stop()).catch(failed);
    await deps.close();
    log.info("stopped");
    log.flush(() => process.exit(0));
  }
  void (early?.stopAsked ?? askedToStop()).then(stop);
  await services;
  const { misspelt } = await import("./platform/misspelt.ts");
  for (const { name, meant } of misspelt(process.env)) {
    log.warn({ variable: name, todo: `Did you mean ${meant}?` }, "a variable is no setting of Ponte's");
  }
}

/** What a process runs: its door to the network, and, once they are loaded, the app and the services behind it. */
interface Process {
  /** Null where a dispatcher goes without. */
  readonly door: Door | null;
  readonly app: Promise<AnyElysia>;
  readonly services: Promise<Services>;
}

async function dispatch(deps: Deps): Promise<Process> {
  const [{ createDispatcherApp }, { startServices }] = await Promise.all([
    import("./app.ts"),
    import("./services.ts"),
  ]);
  const app = createDispatcherApp(deps);
  const door = await openDispatcherDoor(deps.config, (request) => app.fetch(request), deps.log);
  app.server = door?.server ?? null;
  return { door, app: Promise.resolve(app), services: startServices(deps) };
}

/** Visitors are let in first; whoever comes for anything else waits for the app. */
async function receive(deps: Deps, early: EarlyDoor | null): Promise<Process> {
  const { promise: app, resolve: load } = Promise.withResolvers<AnyElysia>();
  const visit = createVisits(deps, () => door.server);
  const behind: Behind = { visit, rest: async (request) => (await app).fetch(request) };
  const door = early?.door ?? (await openDoor(deps.config, behind, deps.log));
  void early?.handOver({ behind, deps });
  load(loadApp(deps, visit, door, early ? 0 : VISITORS_FIRST_MS));
  const services = app.then(async () => {
    const { startServices } = await import("./services.ts");
    return startServices(deps);
  });
  return { door, app, services };
}

async function loadApp(deps: Deps, visit: VisitHandler, door: Door, afterMs: number): Promise<AnyElysia> {
  await Bun.sleep(afterMs);
  void deps.writer.start();
  await showFirstPassword(deps);
  const { createApp } = await import("./app.ts");
  const app = createApp(deps, visit);
  app.server = door.server;
  door.leadTo({ visit, rest: (request) => app.fetch(request) });
  return app;
}

/** Takes no more requests and lets those under way finish, within a deadline: one slow client keeps nobody from stopping. */
async function stopAnswering(door: Door | null): Promise<void> {
  if (!door) return;
  const cutOff = setTimeout(() => void door.server.stop(true), REQUESTS_DEADLINE_MS);
  await door.server.stop();
  clearTimeout(cutOff);
}

/** Visitors come first: without a password, or a database to keep it in, the console alone stays shut. */
function showFirstPassword(deps: Deps): Promise<void> {
  const says = {
    failed:
      "the console's password could not be read or made, and a changed one has ended no session yet; trying again every five seconds",
    worked: "the console's password is in the database now",
  };
  return retryUntilSuccess(deps, says, async () => {
    const { ensureOperatorPassword } = await import("./ops/auth/password.ts");
    const password = await ensureOperatorPassword(deps.db, deps.config);
    // Not through the log: it may be kept, and shipped elsewhere.
    if (password !== null) console.log(`The console's password, shown this once: ${password}`);
  });
}
