import type { AnyElysia } from "elysia";
import type { Config } from "./config.ts";
import { type Deps, openDeps } from "./deps.ts";
import { DAY_MS } from "./platform/durations.ts";
import { codeOf } from "./platform/errors.ts";
import { createLog, type Log } from "./platform/log.ts";
import { internalServerError } from "./platform/problem.ts";
import { retryUntilSuccess } from "./platform/retry-until-success.ts";
import { secretValues } from "./platform/scrub.ts";
import { listenError } from "./platform/setting-error.ts";
import type { Services } from "./services.ts";
import { createVisitorsApp } from "./visitors-app.ts";

/** How long a start belongs to visitors alone; then the rest of the program is loaded, which holds them up a little. */
const VISITORS_FIRST_MS = 50;

/** A stop that takes longer than this is cut short: leases run out by themselves and commits are atomic. */
const STOP_DEADLINE_MS = 10_000;

/** How long a stop waits for requests under way; a client that sends slower than this is cut off. */
const REQUESTS_DEADLINE_MS = 4_000;

/**
 * Longer than proxies keep a connection to us that nobody uses (nginx and AWS' load balancers: 60 seconds). Were ours
 * closed first, the next visitor might be on it just then.
 */
const IDLE_SECONDS = 75;

/** Runs the process until a signal ends it. @throws what it cannot start without */
export async function serve(config: Config): Promise<void> {
  const log = createLog(config.logLevel, undefined, secretValues(process.env));
  const deps = await openDeps(config, log);
  const { app, services } = config.role === "dispatcher" ? await dispatcherProcess(deps) : wholeProcess(deps);
  await listen(app, config, log);
  // Its door would keep the process from ending.
  if (!app.server) setInterval(() => undefined, DAY_MS);
  log.info({ host: config.host, port: app.server?.port, role: config.role }, "ready");

  let stopping = false;
  async function stop(signal: string): Promise<void> {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, "stopping: finishing requests and commits");
    setTimeout(() => {
      log.error({ deadlineMs: STOP_DEADLINE_MS }, "stopping took too long and is cut short");
      log.flush(() => process.exit(1));
    }, STOP_DEADLINE_MS).unref();
    // Services that could not be loaded end the process by themselves.
    const stopped = services.then((started) => started.stop()).catch(() => undefined);
    await Promise.all([stopAnswering(app), stopped]);
    await deps.close();
    log.info("stopped");
    log.flush(() => process.exit(0));
  }
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  await services;
  const { misspelt } = await import("./platform/misspelt.ts");
  for (const { name, meant } of misspelt(process.env)) {
    log.warn({ variable: name, todo: `Did you mean ${meant}?` }, "a variable is no setting of Ponte's");
  }
}

/**
 * Opens the door to the network. What no handler has an answer to shows nobody how this program looks inside. A dispatcher
 * goes without where its port is taken: nobody visits it.
 *
 * @throws SettingError where it cannot listen
 */
export async function listen(
  app: AnyElysia,
  { host, port, role }: Pick<Config, "host" | "port" | "role">,
  log: Log,
): Promise<void> {
  const isShared = await isAnswered(host, port);
  try {
    app.listen({
      hostname: host,
      port,
      // Several processes may stand behind one port, but those that only dispatch have nothing for a visitor.
      reusePort: role !== "dispatcher",
      idleTimeout: IDLE_SECONDS,
      development: false,
      error(error) {
        log.error({ error }, "a request failed, and its answer too");
        return internalServerError();
      },
    });
  } catch (error) {
    const isTaken = error instanceof Error && codeOf(error) === "EADDRINUSE";
    if (role !== "dispatcher" || !isTaken) throw listenError({ host, port }, error);
    const todo = "Give this dispatcher a PORT of its own.";
    log.warn(
      { host, port, todo },
      "the port is taken: this dispatcher works without health checks and metrics",
    );
    return;
  }
  if (isShared) {
    log.warn(
      { host, port },
      "another process answers on this port too, and each gets a part of the visitors: let both use one database, or stop one",
    );
  }
}

async function isAnswered(hostname: string, port: number): Promise<boolean> {
  try {
    const other = await Bun.connect({ hostname, port, socket: { data: () => undefined } });
    other.end();
    return true;
  } catch {
    return false;
  }
}

/** What a process runs: its door to the network, and, once they are loaded, the services behind it. */
interface Process {
  readonly app: AnyElysia;
  readonly services: Promise<Services>;
}

async function dispatcherProcess(deps: Deps): Promise<Process> {
  const [{ createDispatcherApp }, { startServices }] = await Promise.all([
    import("./app.ts"),
    import("./services.ts"),
  ]);
  return { app: createDispatcherApp(deps), services: startServices(deps) };
}

/** The visitors' door, which can open at once; the others follow, a module at a time. */
function wholeProcess(deps: Deps): Process {
  const doors = loadOtherDoors(deps);
  const services = doors.then(async () => {
    const { startServices } = await import("./services.ts");
    return startServices(deps);
  });
  return { app: createVisitorsApp(deps).use(doors), services };
}

async function loadOtherDoors(deps: Deps): Promise<AnyElysia> {
  await Bun.sleep(VISITORS_FIRST_MS);
  void deps.writer.start();
  await showFirstPassword(deps);
  const { otherDoors } = await import("./app.ts");
  return otherDoors(deps);
}

/** Takes no more requests and lets those under way finish, within a deadline: one slow client keeps nobody from stopping. */
async function stopAnswering(app: AnyElysia): Promise<void> {
  if (!app.server) return;
  const cutOff = setTimeout(() => void app.stop(true), REQUESTS_DEADLINE_MS);
  await app.stop();
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
