import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import { Redis } from "ioredis";
import { createLoginThrottle, type LoginThrottle } from "../../src/ops/auth/throttle.ts";
import { createLog } from "../../src/platform/log.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { makePasswordsCheap, newBrowser, OPERATOR_PASSWORD } from "../support/operator.ts";
import { startSilentProxy } from "../support/silent-proxy.ts";

const WINDOW_MS = 15 * 60_000;

/** The beginning of a window in which nobody else counts, in Redis neither. */
const freshWindow = () => Math.floor(Math.random() * 1e8) * WINDOW_MS + 4e12 - (4e12 % WINDOW_MS);
const stranger = (address: string) => ({ address, device: null });

async function attempts(throttle: LoginThrottle, n: number, address: string, nowMs: number) {
  const kinds: string[] = [];
  for (let i = 0; i < n; i++) kinds.push((await throttle.attempt(stranger(address), nowMs)).kind);
  return kinds;
}

describe("the throttle of failed logins", () => {
  test("allows ten attempts of an address in a quarter of an hour, and says when to come back", async () => {
    const throttle = createLoginThrottle(undefined);
    const startMs = freshWindow();
    expect(await attempts(throttle, 10, "192.0.2.1", startMs)).toEqual(Array(10).fill("allowed"));
    expect(await throttle.attempt(stranger("192.0.2.1"), startMs + 60_001)).toEqual({
      kind: "throttled",
      retryAfterSeconds: 14 * 60,
    });
    expect(await attempts(throttle, 1, "192.0.2.2", startMs)).toEqual(["allowed"]);
    expect(await attempts(throttle, 1, "192.0.2.1", startMs + WINDOW_MS)).toEqual(["allowed"]);
  });

  test("takes a whole /64 for one address: a customer has all of it", async () => {
    const throttle = createLoginThrottle(undefined);
    const startMs = freshWindow();
    for (let i = 0; i < 10; i++) await throttle.attempt(stranger(`2001:db8:1:2::${i}`), startMs);
    const same = ["2001:db8:1:2:ffff:1:2:3", "2001:db8:1:2::"];
    for (const address of same) {
      expect((await throttle.attempt(stranger(address), startMs)).kind).toBe("throttled");
    }
    expect((await throttle.attempt(stranger("2001:db8:1:3::1"), startMs)).kind).toBe("allowed");
  });

  test("allows a hundred attempts of all strangers together, and still those who were here before", async () => {
    const throttle = createLoginThrottle(undefined);
    const startMs = freshWindow();
    const kinds: string[] = [];
    for (let i = 0; i < 101; i++) kinds.push(...(await attempts(throttle, 1, `198.51.100.${i}`, startMs)));
    expect(kinds.slice(0, 100)).toEqual(Array(100).fill("allowed"));
    expect(kinds[100]).toBe("throttled");
    const known = { address: "198.51.100.7", device: "laptop" };
    for (let i = 0; i < 20; i++) {
      expect((await throttle.attempt(known, startMs)).kind).toBe("allowed");
      await throttle.succeeded(known, startMs);
    }
    expect(await attempts(throttle, 1, "198.51.101.1", startMs)).toEqual(["throttled"]);
  });

  test("a flood of addresses makes it forget neither the strangers' total nor a device", async () => {
    const throttle = createLoginThrottle(undefined);
    const startMs = freshWindow();
    const device = { address: "192.0.2.1", device: "laptop" };
    for (let i = 0; i < 10; i++) await throttle.attempt(device, startMs);
    for (let i = 0; i < 50_100; i++) await throttle.attempt(stranger(`10.0.${i >> 8}.${i & 255}`), startMs);
    expect(await attempts(throttle, 1, "192.0.2.2", startMs)).toEqual(["throttled"]);
    expect((await throttle.attempt(device, startMs)).kind).toBe("throttled");
  });

  test("one address that goes on and on locks nobody else out", async () => {
    const throttle = createLoginThrottle(undefined);
    const startMs = freshWindow();
    await attempts(throttle, 500, "192.0.2.1", startMs);
    expect(await attempts(throttle, 1, "192.0.2.2", startMs)).toEqual(["allowed"]);
  });

  test("does not count the strangers who log in", async () => {
    const throttle = createLoginThrottle(undefined);
    const startMs = freshWindow();
    const kinds: string[] = [];
    for (let i = 0; i < 150; i++) {
      const address = `198.51.100.${i}`;
      kinds.push(...(await attempts(throttle, 1, address, startMs)));
      await throttle.succeeded(stranger(address), startMs);
    }
    expect(kinds).toEqual(Array(150).fill("allowed"));
  });

  test("forgets the failures before a login that worked", async () => {
    const throttle = createLoginThrottle(undefined);
    const startMs = freshWindow() + 1_000;
    await attempts(throttle, 10, "192.0.2.1", startMs);
    await throttle.succeeded(stranger("192.0.2.1"), startMs);
    expect(await attempts(throttle, 9, "192.0.2.1", startMs)).toEqual(Array(9).fill("allowed"));
    await throttle.succeeded(stranger("192.0.2.1"), startMs);
    // As many as before, and none in advance.
    expect(await attempts(throttle, 11, "192.0.2.1", startMs)).toEqual([
      ...Array(10).fill("allowed"),
      "throttled",
    ]);
  });

  test("counts on in a quarter of an hour when somebody's login of the one before is through", async () => {
    const throttle = createLoginThrottle(undefined);
    const startMs = freshWindow();
    await throttle.attempt(stranger("192.0.2.1"), startMs - 1);
    await attempts(throttle, 10, "192.0.2.2", startMs);
    await throttle.succeeded(stranger("192.0.2.1"), startMs - 1);
    expect(await attempts(throttle, 1, "192.0.2.2", startMs)).toEqual(["throttled"]);
  });

  const url = process.env.TEST_REDIS_URL;
  test.skipIf(!url)("counts for all processes where there is Redis", async () => {
    const redis = new Redis(url ?? "");
    const [one, other] = [createLoginThrottle(redis), createLoginThrottle(redis)];
    const startMs = freshWindow();
    await attempts(one, 6, "192.0.2.1", startMs);
    expect(await attempts(other, 5, "192.0.2.1", startMs)).toEqual([
      ...Array(4).fill("allowed"),
      "throttled",
    ]);
    for (const key of await redis.keys(`ponte:login:${startMs}:*`)) {
      expect(await redis.pttl(key)).toBeGreaterThan(0);
    }
    await one.succeeded(stranger("192.0.2.1"), startMs);
    expect(await attempts(one, 1, "192.0.2.1", startMs)).toEqual(["allowed"]);
    // As where it was away at the attempt.
    await redis.del(`ponte:login:${startMs}:strangers`);
    await one.succeeded(stranger("192.0.2.1"), startMs);
    const keys = await redis.keys(`ponte:login:${startMs}:*`);
    expect(keys).not.toEqual([]);
    for (const key of keys) expect(await redis.pttl(key)).toBeGreaterThan(0);
    redis.disconnect();
  });

  test.skipIf(!url)("stands by its own count where Redis has lost its", async () => {
    const redis = new Redis(url ?? "");
    const throttle = createLoginThrottle(redis);
    const startMs = freshWindow();
    await attempts(throttle, 10, "192.0.2.1", startMs);
    await redis.del(await redis.keys(`ponte:login:${startMs}:*`));
    expect(await attempts(throttle, 1, "192.0.2.1", startMs)).toEqual(["throttled"]);
    redis.disconnect();
  });

  test.skipIf(!url)("counts on in this process alone when Redis gives no answer any more", async () => {
    const { hostname, port } = new URL(url ?? "");
    const proxy = await startSilentProxy({ hostname, port: Number(port) });
    const redis = connectRedis(`redis://127.0.0.1:${proxy.port}`, createLog("silent"));
    await new Promise((ready) => redis.once("ready", ready));
    const throttle = createLoginThrottle(redis);
    const startMs = freshWindow();
    await attempts(throttle, 4, "192.0.2.1", startMs);
    proxy.silence();
    const rest = await attempts(throttle, 7, "192.0.2.1", startMs);
    expect(rest).toEqual([...Array(6).fill("allowed"), "throttled"]);
    await throttle.succeeded(stranger("192.0.2.1"), startMs);
    redis.disconnect();
    proxy.stop();
  });

  test("counts in this process alone while Redis is away", async () => {
    const nowhere = new Redis("redis://127.0.0.1:1", {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    nowhere.on("error", () => undefined);
    const throttle = createLoginThrottle(nowhere);
    const kinds = await attempts(throttle, 11, "192.0.2.1", freshWindow());
    expect(kinds).toEqual([...Array(10).fill("allowed"), "throttled"]);
    await throttle.succeeded(stranger("192.0.2.1"), 0);
    nowhere.disconnect();
  });
});

describe("guessing the password", () => {
  let nowMs = freshWindow();
  let passwords: Disposable;
  let own: TestApp;
  let url: string;
  beforeAll(async () => {
    passwords = makePasswordsCheap();
    own = await createTestApp({ OPERATOR_PASSWORD, TRUSTED_PROXIES: "127.0.0.1" }, (deps) => ({
      ...deps,
      now: () => new Date(nowMs),
    }));
    url = own.listen();
  });
  afterAll(async () => {
    await own.dispose();
    passwords[Symbol.dispose]();
  });

  /** A browser behind our proxy, at that address. */
  function browserAt(address: string) {
    return newBrowser({
      request: (path, init) => {
        const headers = new Headers(init?.headers);
        headers.set("x-forwarded-for", address);
        if (headers.has("origin")) headers.set("origin", url);
        return fetch(url + path, { ...init, headers, redirect: "manual" });
      },
    });
  }
  const guess = async (address: string, password = "a guess") =>
    (await browserAt(address).post("/ops/login", { password })).status;

  test("stops after ten guesses, at once or one by one, even for the right one", async () => {
    nowMs = freshWindow();
    const answers = await Promise.all(Array.from({ length: 16 }, () => guess("192.0.2.9")));
    // Some of many at once are told to try again; none of them is looked at beyond the tenth.
    expect(answers.filter((status) => status !== 429).length).toBe(10);
    const answer = await browserAt("192.0.2.9").post("/ops/login", { password: OPERATOR_PASSWORD });
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await answer.text()).toContain("Too many attempts");
    expect(await guess("192.0.2.10", OPERATOR_PASSWORD)).toBe(303);
    nowMs += WINDOW_MS;
    expect(await guess("192.0.2.9", OPERATOR_PASSWORD)).toBe(303);
  });

  test("begins anew after a login that worked", async () => {
    nowMs = freshWindow();
    for (let i = 0; i < 9; i++) await guess("192.0.2.20");
    expect(await guess("192.0.2.20", OPERATOR_PASSWORD)).toBe(303);
    for (let i = 0; i < 10; i++) expect(await guess("192.0.2.20")).toBe(403);
    expect(await guess("192.0.2.20")).toBe(429);
  });

  test("stands in the log with its address; the audit log tells of those alone who got in, and from where", async () => {
    nowMs = freshWindow();
    const { db } = own;
    const [logged, audited] = [own.logLines.length, await db.$count(db.tables.auditLog)];
    expect(await guess("192.0.2.21", OPERATOR_PASSWORD)).toBe(303);
    for (let i = 0; i < 11; i++) await guess("192.0.2.21");
    const lines = own.logLines.slice(logged).filter(({ msg }) => msg?.startsWith("a login"));
    expect(lines.map(({ msg, address }) => [msg, address])).toEqual([
      ...Array(10).fill(["a login failed: wrong password", "192.0.2.21"]),
      ["a login was refused unread: too many attempts", "192.0.2.21"],
    ]);
    const entries = await db.select().from(db.tables.auditLog).orderBy(db.tables.auditLog.id);
    expect(entries.slice(audited)).toMatchObject([
      { action: "operator.login", after: { address: "192.0.2.21" } },
    ]);
  });

  test("waits for eight others, and the ninth is told to come again", async () => {
    nowMs = freshWindow();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    using _ = spyOn(Bun.password, "verify").mockReturnValue(promise);
    const answers = Array.from({ length: 9 }, (_, i) =>
      browserAt(`192.0.2.${30 + i}`).post("/ops/login", { password: "a guess" }),
    );
    const first = await Promise.race(answers);
    expect([first.status, first.headers.get("retry-after")]).toEqual([503, "5"]);
    resolve(false);
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([...Array(8).fill(403), 503]);
  });

  test("leaves alone the browser of an operator at the same address who was logged in before", async () => {
    nowMs = freshWindow();
    const operator = browserAt("192.0.2.11");
    await operator.post("/ops/login", { password: OPERATOR_PASSWORD });
    await operator.get("/ops");
    await operator.post("/ops/logout");
    for (let i = 0; i < 11; i++) await guess("192.0.2.11");
    expect(await guess("192.0.2.11", OPERATOR_PASSWORD)).toBe(429);
    expect((await operator.post("/ops/login", { password: OPERATOR_PASSWORD })).status).toBe(303);
  });

  test("takes no device for known because it says so", async () => {
    nowMs = freshWindow();
    for (let i = 0; i < 10; i++) await guess("192.0.2.12");
    for (const device of ["laptop", "v1.AAAA.BBBB.CCCC", "x".repeat(500)]) {
      const browser = browserAt("192.0.2.12");
      browser.cookies.set("ponte_device", device);
      expect((await browser.post("/ops/login", { password: OPERATOR_PASSWORD })).status).toBe(429);
    }
  });

  test("is Secure where a proxy that we trust says that the browser came by https", async () => {
    nowMs = freshWindow();
    const answer = await fetch(`${url}/ops/login`, {
      method: "POST",
      redirect: "manual",
      body: new URLSearchParams({ password: OPERATOR_PASSWORD }),
      headers: { "x-forwarded-for": "192.0.2.13", "x-forwarded-proto": "https" },
    });
    const cookies = answer.headers.getSetCookie();
    expect(cookies.length).toBe(2);
    for (const cookie of cookies) expect(cookie).toMatch(/^__Host-.*; Secure$/);
  });
});
