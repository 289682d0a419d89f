import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

/**
 * `src/main.ts` as a process of its own, on a free port and in a data folder of its own. `kill` is `kill -9`: no
 * handler runs, nothing is flushed.
 */
export async function startServer(databaseUrl: string, environment: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "ponte-server-"));
  const port = freePort();
  const child = Bun.spawn(["bun", "src/main.ts"], {
    cwd: ROOT,
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      DATA_DIR: folder,
      HOST: "127.0.0.1",
      PORT: String(port),
      LOG_LEVEL: "error",
      RATE_LIMIT_PER_HOUR: "0",
      // Nothing of a test may leave the machine.
      META_GRAPH_URL: "http://127.0.0.1:9",
      TELEGRAM_API_URL: "http://127.0.0.1:9",
      ...environment,
    },
    stdout: "ignore",
    stderr: "inherit",
  });
  const url = `http://127.0.0.1:${port}`;
  await untilAnswering(`${url}/healthz`, child);
  return {
    url,
    async kill() {
      child.kill("SIGKILL");
      await child.exited;
      rmSync(folder, { recursive: true, force: true });
    },
    /** Asks it to stop, and resolves to its exit code. */
    async stop(): Promise<number> {
      child.kill("SIGTERM");
      const code = await child.exited;
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}

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

function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = probe;
  probe.stop(true);
  return port;
}
