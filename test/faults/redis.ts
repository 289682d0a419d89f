import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "../../scripts/lib/free-port.ts";
import { until } from "../support/until.ts";

/** A Redis of the test's own, always on the same port; it keeps nothing on disk. */
export async function startRedis() {
  const folder = mkdtempSync(join(tmpdir(), "ponte-redis-"));
  const port = freePort();
  const url = `redis://127.0.0.1:${port}`;
  let server = spawn();

  function spawn() {
    const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder];
    return Bun.spawn(["redis-server", ...args], { stdout: "ignore", stderr: "inherit" });
  }

  async function untilAnswering(): Promise<void> {
    await until(async () => {
      if (server.exitCode !== null) throw new Error(`redis-server ended with ${server.exitCode}`);
      const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
      client.on("error", () => undefined);
      try {
        await client.connect();
        return (await client.ping()) === "PONG";
      } catch {
        return false;
      } finally {
        client.disconnect();
      }
    });
  }

  await untilAnswering();
  return {
    url,
    async kill(): Promise<void> {
      server.kill("SIGKILL");
      await server.exited;
    },
    async start(): Promise<void> {
      server = spawn();
      await untilAnswering();
    },
    /** It takes connections and bytes, and answers nothing, until it is thawed. */
    freeze: () => server.kill("SIGSTOP"),
    thaw: () => server.kill("SIGCONT"),
    async remove(): Promise<void> {
      server.kill("SIGKILL");
      await server.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type RedisServer = Awaited<ReturnType<typeof startRedis>>;
