import { afterAll, describe, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { createLog } from "../../src/platform/log.ts";
import { networkOf } from "../../src/platform/network.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { createRateLimiter } from "../../src/redirect/rate-limit.ts";
import { redisSharedCount } from "../../src/redirect/shared-count.ts";
import { until } from "../support/until.ts";

const redisUrl = process.env.TEST_REDIS_URL;
const NOW_MS = 1_732_000_000_000;

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
  ["2001:0DB8:0001:2::9", "2001:db8:1:2::/64"],
  ["2001:db8::9", "2001:db8:0:0::/64"],
  ["2001:db8:0:0:1::", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::", "0:0:0:0::/64"],
])("%s is counted as %s", (address, visitor) => {
  expect(networkOf(address)).toBe(visitor);
});

test("one customer's IPv6 addresses are counted together, another's apart", async () => {
  const limiter = createRateLimiter(2);
  const kind = async (address: string) => (await limiter.check(address, NOW_MS)).kind;
  expect(await kind("2001:db8::1")).toBe("allowed");
  expect(await kind("2001:db8::2")).toBe("allowed");
  expect(await kind("2001:db8::3")).toBe("limited");
  expect(await kind("2001:db8:0:1::3")).toBe("allowed");
});

test("a look at the limit counts nothing", async () => {
  const limiter = createRateLimiter(2);
  const look = () => limiter.peek("203.0.113.7", NOW_MS).kind;
  for (let i = 0; i < 5; i++) expect(look()).toBe("allowed");
  await limiter.check("203.0.113.7", NOW_MS);
  expect(look()).toBe("allowed");
  await limiter.check("203.0.113.7", NOW_MS);
  expect(look()).toBe("limited");
  // Six minutes and forty seconds of the hour are over.
  const limited = { kind: "limited", retryAfterSeconds: 3200 } as const;
  expect(limiter.peek("203.0.113.7", NOW_MS)).toEqual(limited);
  expect(limiter.peek("203.0.113.7", NOW_MS + 999)).toEqual(limited);
  expect(limiter.peek("203.0.113.7", NOW_MS + 3_600_000).kind).toBe("allowed");
});

test("a look at the limit knows what the shared count last said, in its hour", async () => {
  let everywhere = 3;
  const limiter = createRateLimiter(3, async () => everywhere);
  const look = (nowMs = NOW_MS) => limiter.peek("203.0.113.7", nowMs).kind;
  expect(look()).toBe("allowed");
  expect((await limiter.check("203.0.113.7", NOW_MS)).kind).toBe("allowed");
  expect(look()).toBe("limited");
  expect(limiter.peek("203.0.113.8", NOW_MS).kind).toBe("allowed");

  const nextHour = NOW_MS + 3_600_000;
  everywhere = 1;
  const late = limiter.check("203.0.113.7", NOW_MS);
  await limiter.check("203.0.113.7", nextHour);
  await late;
  expect(look(nextHour)).toBe("allowed");
});

test.each([null, 1])("a shared count that says %p from then on leaves what it said last", async (then) => {
  const answers = [3];
  const limiter = createRateLimiter(3, async () => answers.shift() ?? then);
  expect((await limiter.check("203.0.113.7", NOW_MS)).kind).toBe("allowed");
  for (let i = 0; i < 3; i++) expect((await limiter.check("203.0.113.7", NOW_MS)).kind).toBe("limited");
});

test("a shared count that is away leaves the decision to this process's own", async () => {
  const limiter = createRateLimiter(1, async () => null);
  expect((await limiter.check("203.0.113.7", NOW_MS)).kind).toBe("allowed");
  expect((await limiter.check("203.0.113.7", NOW_MS)).kind).toBe("limited");
});

describe.if(redisUrl !== undefined)("with Redis", () => {
  const clients: Redis[] = [];
  async function connected(redis: Redis): Promise<Redis> {
    clients.push(redis);
    await new Promise((ready) => redis.once("ready", ready));
    return redis;
  }
  afterAll(() => {
    for (const redis of clients) redis.disconnect();
  });

  test("the limit holds for two processes together", async () => {
    const processes = [
      await connected(new Redis(redisUrl ?? "")),
      await connected(new Redis(redisUrl ?? "")),
    ];
    const limiters = processes.map((redis) => createRateLimiter(4, redisSharedCount(redis)));
    const visitor = `test-${crypto.randomUUID()}`;
    const kinds = [];
    for (let i = 0; i < 6; i++) kinds.push((await limiters[i % 2]?.check(visitor, NOW_MS))?.kind);
    expect(kinds).toEqual(["allowed", "allowed", "allowed", "allowed", "limited", "limited"]);
  });

  test("a Redis that does not answer in time leaves the decision to this process", async () => {
    const count = redisSharedCount(await connected(connectRedis(redisUrl ?? "", createLog("silent"))));
    const operator = await connected(new Redis(redisUrl ?? ""));
    await operator.call("client", "pause", "60000", "write");
    expect(await count(`test-${crypto.randomUUID()}`, NOW_MS)).toBeNull();
    expect((await createRateLimiter(1, count).check("203.0.113.7", NOW_MS)).kind).toBe("allowed");
    await operator.call("client", "unpause");
    await until(async () => (await count(`test-${crypto.randomUUID()}`, NOW_MS)) !== null);
  });
});
