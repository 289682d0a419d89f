import { afterEach, beforeEach, expect, test } from "bun:test";
import { createServer, type Server } from "node:net";
import type { Redis } from "ioredis";
import { createLog } from "../../src/platform/log.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { until } from "../support/until.ts";

/** As much of Redis as the client asks for; it can stop answering, with every connection left open. */
const remote = { hangs: false, asked: 0 };
let server: Server;
let redis: Redis;

beforeEach(async () => {
  remote.hangs = false;
  remote.asked = 0;
  server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      const commands = chunk.toString().split(/(?=^\*\d)/m);
      remote.asked += commands.filter((command) => /incr/i.test(command)).length;
      if (remote.hangs) return;
      for (const command of commands) {
        socket.write(/info/i.test(command) ? "$11\r\nloading:0\r\n\r\n" : ":1\r\n");
      }
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  redis = connectRedis(`redis://127.0.0.1:${address.port}`, createLog("silent"));
  await new Promise((ready) => redis.once("ready", ready));
});
afterEach(() => {
  redis.disconnect();
  server.close();
});

const isReady = () => redis.status === "ready";
const failed = (command: Promise<unknown>) =>
  command.then(
    () => false,
    () => true,
  );

test("a Redis that hangs is soon not asked any more, so that nothing piles up, and asked again when it answers", async () => {
  expect(await redis.incr("a")).toBe(1);
  remote.hangs = true;
  expect(await failed(redis.incr("a"))).toBe(true);
  while (isReady()) {
    await failed(redis.incr("a"));
    await Bun.sleep(5);
  }
  const asked = remote.asked;
  const all = await Promise.all(Array.from({ length: 1_000 }, () => failed(redis.incr("a"))));
  expect(all.every(Boolean)).toBe(true);
  expect(remote.asked).toBe(asked);
  remote.hangs = false;
  await until(isReady);
  expect(await redis.incr("a")).toBe(1);
}, 60_000);
