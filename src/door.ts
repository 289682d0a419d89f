import type { BunRequest, Server } from "bun";
import type { Config } from "./config.ts";
import type { BriefLog } from "./platform/brief-log.ts";
import { DeadlineError, withDeadline } from "./platform/deadline.ts";
import { codeOf } from "./platform/errors.ts";
import { internalServerError } from "./platform/problem.ts";
import { listenError } from "./platform/setting-error.ts";
import type { VisitHandler } from "./redirect/visit.ts";

/**
 * Longer than proxies keep a connection to us that nobody uses (nginx and AWS' load balancers: 60 seconds). Were ours
 * closed first, the next visitor might be on it just then.
 */
const IDLE_SECONDS = 75;

/** How long a door that was just opened is the visitors' alone: what is loaded then holds them up a little. */
export const VISITORS_FIRST_MS = 50;

/** How long a process that holds the same port may take to say so; one that hangs keeps nobody from starting. */
const OTHER_MS = 1_000;

/** Who answers behind the door. */
export interface Behind {
  /** `GET /go/:slug`, which ads lead to, and its `HEAD`. It goes past Elysia, and needs nothing of it. */
  readonly visit: VisitHandler;
  readonly rest: (request: Request) => Response | Promise<Response>;
}

/** The door to the network, the same for the whole life of a process. */
export interface Door {
  readonly server: Server<undefined>;
  /** Whoever comes in from now on is answered by these. */
  leadTo(behind: Behind): void;
}

type Place = Pick<Config, "host" | "port" | "role">;

/**
 * Opens the door. What nobody behind it has an answer to shows nobody how this program looks inside.
 *
 * @throws SettingError where it cannot listen
 */
export async function openDoor({ host, port, role }: Place, behind: Behind, log: BriefLog): Promise<Door> {
  let { visit, rest } = behind;
  const isShared = await isAnswered(host, port);
  try {
    const server = Bun.serve({
      hostname: host,
      port,
      // Several processes may stand behind one port, but those that only dispatch have nothing for a visitor.
      reusePort: role !== "dispatcher",
      idleTimeout: IDLE_SECONDS,
      development: false,
      routes: {
        "/go/:slug": {
          // Bun asks it for HEAD, too.
          GET: (request: BunRequest<"/go/:slug">) => visit(request, request.params.slug),
        },
      },
      fetch: (request) => rest(request),
      error(error) {
        log.error({ error }, "a request failed, and its answer too");
        return internalServerError();
      },
    });
    if (isShared) {
      log.warn(
        { host, port },
        "another process answers on this port too, and each gets a part of the visitors: let both use one database, or stop one",
      );
    }
    return {
      server,
      leadTo(next) {
        ({ visit, rest } = next);
      },
    };
  } catch (error) {
    throw listenError({ host, port }, error);
  }
}

/**
 * Opens the door of a process that only dispatches, which goes without where its port is taken: nobody visits it.
 *
 * @returns null where it goes without
 * @throws SettingError where it cannot listen for another reason
 */
export async function openDispatcherDoor(
  place: Place,
  rest: Behind["rest"],
  log: BriefLog,
): Promise<Door | null> {
  try {
    return await openDoor(place, { visit: rest, rest }, log);
  } catch (error) {
    const isTaken =
      error instanceof Error && error.cause instanceof Error && codeOf(error.cause) === "EADDRINUSE";
    if (!isTaken) throw error;
    const { host, port } = place;
    const todo = "Give this dispatcher a PORT of its own.";
    log.warn(
      { host, port, todo },
      "the port is taken: this dispatcher works without health checks and metrics",
    );
    return null;
  }
}

async function isAnswered(hostname: string, port: number): Promise<boolean> {
  const answered = Bun.connect({ hostname, port, socket: { data: () => undefined } }).then((other) => {
    other.end();
    return true;
  });
  // Whoever does not even say no is there, and hangs. Most often nobody is.
  return withDeadline(answered, OTHER_MS).catch((error) => error instanceof DeadlineError);
}
