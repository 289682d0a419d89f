import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { freePort } from "../../scripts/lib/free-port.ts";
import { readConfig } from "../../src/config.ts";
import { createLog } from "../../src/platform/log.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { until } from "../support/until.ts";

/** As much of Redis as the client asks for; it can stop answering, with every connection left open. */
const remote = { hangs: false, askedLate: 0 };
let server: Server;
let redis: Redis;

function answer(socket: Socket): void {
  socket.on("error", () => undefined);
  socket.on("data", (chunk) => {
    const commands = chunk.toString().split(/(?=^\*\d)/m);
    remote.askedLate += commands.filter((command) => command.includes("late")).length;
    if (remote.hangs) return;
    for (const command of commands) {
      socket.write(/info/i.test(command) ? "$11\r\nloading:0\r\n\r\n" : ":1\r\n");
    }
  });
}

beforeEach(async () => {
  remote.hangs = false;
  remote.askedLate = 0;
  server = createServer(answer);
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

const isReady = (asked = redis) => asked.status === "ready";
/** Asks; on a busy machine the answer to a single question may come too late. */
const hasAnswered = (asked = redis) => isReady(asked) && asked.incr("a").then(Boolean, () => false);
const failed = (command: Promise<unknown>) =>
  command.then(
    () => false,
    () => true,
  );

test("a Redis that hangs is soon not asked any more, so that nothing piles up, and asked again when it answers", async () => {
  await until(() => hasAnswered());
  remote.hangs = true;
  expect(await failed(redis.incr("a"))).toBe(true);
  await until(async () => (await failed(redis.incr("a"))) && !isReady());
  const all = await Promise.all(Array.from({ length: 1_000 }, () => failed(redis.incr("late"))));
  expect(all.every(Boolean)).toBe(true);
  expect(remote.askedLate).toBe(0);
  remote.hangs = false;
  await until(() => hasAnswered());
}, 60_000);

test("one that is away at the start is told of once, however often it is looked for, and once more when it is there", async () => {
  const lines: string[] = [];
  const log = createLog("info", { write: (line: string) => void lines.push(JSON.parse(line).msg) });
  const port = freePort();
  const late = connectRedis(`redis://127.0.0.1:${port}`, log);
  let failures = 0;
  late.on("error", () => failures++);
  await until(() => failures >= 3);
  const there = createServer(answer);
  await new Promise<void>((listening) => there.listen(port, "127.0.0.1", listening));
  await until(() => isReady(late));
  expect(lines).toEqual(["Redis is away; going on without it", "Redis is back"]);
  late.disconnect();
  there.close();
});

test("a Redis on the same machine is reached by its socket", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ponte-redis-"));
  const socket = join(folder, "redis.sock");
  const { port } = redis.options;
  let connections = 0;
  const door = createServer((client) => {
    connections++;
    client.pipe(connect(port ?? 0, "127.0.0.1")).pipe(client);
  });
  await new Promise<void>((listening) => door.listen(socket, listening));
  const { redisUrl = "" } = readConfig({ REDIS_URL: `unix://${socket}` });
  const bySocket = connectRedis(redisUrl, createLog("silent"));
  await until(() => hasAnswered(bySocket));
  expect(connections).toBeGreaterThan(0);
  bySocket.disconnect();
  door.close();
  rmSync(folder, { recursive: true });
});
