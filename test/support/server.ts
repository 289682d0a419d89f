import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureProgram } from "../../scripts/build.ts";
import { freePort } from "../../scripts/lib/free-port.ts";
import { isAnswering } from "../../scripts/lib/is-answering.ts";
import { linesOf } from "../../scripts/lib/lines.ts";

const ROOT = join(import.meta.dir, "../..");
const SOURCES = join(ROOT, "src/main.ts");
/** `dist/ponte`, which servers run; made before any test's time begins. */
export const PROGRAM = await ensureProgram();

export interface ServerOptions {
  /** Where spool and secret lie, for a server that comes back; without it, a folder that ends with the server. */
  readonly dataDir?: string;
  /** Gets what it logs, line by line. */
  readonly onLogLine?: (line: string) => void;
  /** Runs the sources instead of the executable that is made of them. */
  readonly fromSources?: boolean;
  /** The executable, where it is another checkout's. */
  readonly program?: string;
  /** The folder that it runs in, instead of the repository. */
  readonly cwd?: string;
  /** The path that answers once it has started; `/healthz` unless said otherwise, which waits for all of it. */
  readonly untilAnswering?: string;
}

/**
 * Ponte as a process of its own, on a free port unless one is given. `kill` is `kill -9`: no handler runs, nothing is flushed.
 */
export async function startServer(
  databaseUrl: string,
  environment: Readonly<Record<string, string>> = {},
  options: ServerOptions = {},
) {
  const { dataDir, onLogLine, fromSources = false, program = PROGRAM, cwd = ROOT } = options;
  const folder = dataDir ?? mkdtempSync(join(tmpdir(), "ponte-server-"));
  const port = environment.PORT ?? freePort();
  const child = Bun.spawn(fromSources ? ["bun", SOURCES] : [program], {
    cwd,
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      DATA_DIR: folder,
      HOST: "127.0.0.1",
      PORT: String(port),
      LOG_LEVEL: process.env.FAULT_LOG ?? "fatal",
      RATE_LIMIT_PER_HOUR: "0",
      // Nothing of a test may leave the machine.
      META_GRAPH_URL: "http://127.0.0.1:9",
      TELEGRAM_API_URL: "http://127.0.0.1:9",
      ...environment,
    },
    stdout: onLogLine ? "pipe" : process.env.FAULT_LOG ? "inherit" : "ignore",
    stderr: "inherit",
  });
  const isRead = onLogLine && child.stdout instanceof ReadableStream && readLines(child.stdout, onLogLine);
  const url = `http://127.0.0.1:${port}`;
  const cleanUp = () => {
    if (dataDir === undefined) rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilAnswering(url + (options.untilAnswering ?? "/healthz"), child);
  } catch (error) {
    cleanUp();
    throw error;
  }
  return {
    url,
    pid: child.pid,
    async kill() {
      child.kill("SIGKILL");
      await child.exited;
      // What it had said by then is in the pipe still.
      await isRead;
      cleanUp();
    },
    /** Asks it to stop, and resolves to its exit code. */
    async stop(): Promise<number> {
      child.kill("SIGTERM");
      const code = await child.exited;
      await isRead;
      cleanUp();
      return code;
    },
  };
}

export type TestServer = Awaited<ReturnType<typeof startServer>>;

async function untilAnswering(url: string, child: Bun.Subprocess): Promise<void> {
  while (child.exitCode === null) {
    if (await isAnswering(url)) return;
    await Bun.sleep(20);
  }
  throw new Error(`the server ended with ${child.exitCode} before it answered`);
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  for await (const line of linesOf(stream)) onLine(line);
}
