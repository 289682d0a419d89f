import { afterEach, describe, expect, test } from "bun:test";
import type { TCPSocketListener } from "bun";
import { createLog } from "../../src/platform/log.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { until } from "../support/until.ts";

let server: TCPSocketListener | undefined;
afterEach(() => server?.stop(true));

/** Answers what ioredis asks when it connects, and from then on nothing. */
function hangingRedis() {
  const seen = { commands: 0, closed: 0 };
  server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, bytes) {
        const text = bytes.toString().toLowerCase();
        if (text.includes("incr")) seen.commands++;
        else if (text.includes("$4\r\ninfo")) socket.write("$17\r\nredis_version:7.0\r\n");
        else if (text.includes("hello")) socket.write("%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n+OK\r\n+OK\r\n");
      },
      close() {
        seen.closed++;
      },
    },
  });
  return { seen, url: `redis://127.0.0.1:${server.port}` };
}

describe("a Redis that hangs", () => {
  test("is given up, and nothing piles up for it meanwhile", async () => {
    const { seen, url } = hangingRedis();
    const redis = connectRedis(url, createLog("silent"));
    await until(() => redis.status === "ready");
    await expect(redis.incr("a")).rejects.toThrow("Command timed out");
    expect(seen.commands).toBe(1);
    await until(() => seen.closed > 0);
    redis.disconnect();
  });
});
