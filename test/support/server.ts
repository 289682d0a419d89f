import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

export interface ServerOptions {
  /** Where spool and secret lie, for a server that comes back; without it, a folder that ends with the server. */
  readonly dataDir?: string;
  /** Largest file that the process may write, in kilobytes: a disk that is full for it alone. */
  readonly largestFileKb?: number;
}

/**
 * `src/main.ts` as a process of its own, on a free port. `kill` is `kill -9`: no handler runs, nothing is flushed.
 */
export async function startServer(
  databaseUrl: string,
  environment: Readonly<Record<string, string>> = {},
  { dataDir, largestFileKb }: ServerOptions = {},
) {
  const folder = dataDir ?? mkdtempSync(join(tmpdir(), "ponte-server-"));
  const port = freePort();
  const main = ["bun", "src/main.ts"];
  // The signal of a full disk is ignored, so that writing fails as it does on a full disk.
  const limited = ["bash", "-c", `trap '' XFSZ; ulimit -S -f ${largestFileKb}; exec ${main.join(" ")}`];
  const child = Bun.spawn(largestFileKb === undefined ? main : limited, {
    cwd: ROOT,
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
    stdout: process.env.FAULT_LOG ? "inherit" : "ignore",
    stderr: "inherit",
  });
  const url = `http://127.0.0.1:${port}`;
  const cleanUp = () => {
    if (dataDir === undefined) rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilAnswering(`${url}/healthz`, child);
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
      cleanUp();
    },
    /** Asks it to stop, and resolves to its exit code. */
    async stop(): Promise<number> {
      child.kill("SIGTERM");
      const code = await child.exited;
      cleanUp();
      return code;
    },
  };
}

export type TestServer = Awaited<ReturnType<typeof startServer>>;

async function untilAnswering(url: string, child: Bun.Subprocess): Promise<void> {
  while (child.exitCode === null) {
    const isUp = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return;
    await Bun.sleep(20);
  }
  throw new Error(`the server ended with ${child.exitCode} before it answered`);
}

/** A port that nobody listens on at this moment. */
export function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = probe;
  probe.stop(true);
  return port;
}
