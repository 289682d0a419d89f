import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { createLog } from "../../src/platform/log.ts";
import { connectRedis } from "../../src/platform/redis.ts";
import { sessionOf } from "../../src/redirect/visit-record.ts";
import { type NewSession, sessionFacts } from "../../src/tracking/session.ts";
import { redisTrackingStore, type TrackingStore } from "../../src/tracking/tracking-store.ts";
import { until } from "../support/until.ts";
import { visitOf } from "../support/visits.ts";

const redisUrl = process.env.TEST_REDIS_URL;

describe.if(redisUrl !== undefined)("the tracking data in Redis", () => {
  let redis: Redis;
  let store: TrackingStore;
  beforeAll(async () => {
    redis = new Redis(redisUrl ?? "");
    store = redisTrackingStore(redis, 3);
    await new Promise<void>((ready) => void redis.once("ready", ready));
  });
  afterAll(() => redis.disconnect());

  const session = () => sessionOf(visitOf(1, 1, 1, "fbclid=AbC&utm_source=fb"));
  async function saved(token: string) {
    await until(async () => (await store.count([token])) === 1);
    return store.find(token);
  }

  test("what is known is added, and a missing value replaces none", async () => {
    const first = session();
    store.save(() => first, "a database");
    const before = await saved(first.trackingToken);
    // What its row says of the visit, to the second.
    const pageviewAt = new Date(Math.floor(first.pageviewTs.getTime() / 1_000) * 1_000);
    expect(before).toEqual({
      ...sessionFacts(first),
      pageviewAt,
      poolId: 1,
      botId: 1,
      database: "a database",
    });
    store.save(() => ({ ...first, fbclid: null, fbc: null, utmSource: null, fbi: "177.45.10.10" }), null);
    await until(async () => (await store.find(first.trackingToken))?.clientIp === "177.45.10.10");
    expect(await store.find(first.trackingToken)).toMatchObject({ ...before, clientIp: "177.45.10.10" });
  });

  test("a visit that comes before the connection is there is kept", async () => {
    const late = connectRedis(redisUrl ?? "", createLog("silent"));
    const first = session();
    redisTrackingStore(late, 3).save(() => first, "a database");
    expect(await saved(first.trackingToken)).toMatchObject({ fbclid: "AbC" });
    late.disconnect();
  });

  test("other tools find all of it under the names that they know, and one of an earlier version is read as far as it goes", async () => {
    const one: NewSession = {
      ...session(),
      pageviewTs: new Date(1_900_000_000_900),
      clickTs: new Date(1_900_000_000_100),
      fbp: "fb.1.1.2",
      fbi: "177.45.10.10",
      utmCampaign: "camp",
      utmMedium: "paid",
      utmContent: "ad",
      utmTerm: "term",
      grim: "demo",
      referrer: "https://l.example.com/",
      consent: "denied",
      userExternalId: "777",
    };
    store.save(() => one, "a database");
    await saved(one.trackingToken);
    const key = `ponte:tracking:${one.trackingToken}`;
    const url = "https://go.example.com/go/open?fbclid=AbC&utm_source=fb";
    expect(await redis.hgetall(key)).toEqual({
      tracking_token: one.trackingToken,
      pageview_event_id: one.rootEventId,
      pool_id: "1",
      bot_id: "1",
      pageview_ts: "1900000000",
      click_ts: "1900000000",
      fbclid: "AbC",
      fbc: one.fbc ?? "",
      fbc_origin: "generated",
      fbp: "fb.1.1.2",
      fbi: "177.45.10.10",
      utm_source: "fb",
      utm_campaign: "camp",
      utm_medium: "paid",
      utm_content: "ad",
      utm_term: "term",
      grim: "demo",
      client_ip: "177.45.10.9",
      user_agent: "Mozilla/5.0",
      referrer: "https://l.example.com/",
      event_source_url: url,
      first_page: url,
      consent: "denied",
      user_external_id: "777",
      database: "a database",
    });
    expect(await store.find(one.trackingToken)).toMatchObject({ consent: "denied" });
    await redis.hdel(key, "pool_id", "bot_id", "database", "pageview_ts");
    expect(await store.find(one.trackingToken)).toMatchObject({
      poolId: null,
      botId: null,
      database: null,
      pageviewAt: new Date(0),
    });
  });

  test("one that is away makes no copy, knows of none, and harms nobody", async () => {
    const away = new Redis(redisUrl ?? "", { lazyConnect: true, enableOfflineQueue: false });
    // As every client of ours does: else the library prints what it fails at.
    away.on("error", () => undefined);
    const unreachable = redisTrackingStore(away, 3);
    const one = session();
    unreachable.save(() => one, null);
    expect(await unreachable.find(one.trackingToken)).toBeNull();
    expect(await unreachable.count([one.trackingToken])).toBeNull();
    expect(await unreachable.forget([one.trackingToken])).toBeNull();
    expect(await unreachable.count([])).toBe(0);
    away.disconnect();
    expect(await store.count([one.trackingToken])).toBe(0);
  });

  test("it ends the days that were set after the visit, whatever is added until then, and later is no copy made", async () => {
    const dayMs = 86_400_000;
    const visitedDaysAgo = (days: number) => ({
      ...session(),
      pageviewTs: new Date(Date.now() - days * dayMs),
    });
    const [recent, old] = [visitedDaysAgo(2), visitedDaysAgo(4)];
    for (const one of [old, recent, old, recent]) store.save(() => one, null);
    await saved(recent.trackingToken);
    const seconds = await redis.ttl(`ponte:tracking:${recent.trackingToken}`);
    expect(seconds).toBeWithin(86_400 - 60, 86_400 + 2);
    expect(await store.count([old.trackingToken])).toBe(0);
  });

  test("a flush loses the copy and nothing else: what comes later is stored again", async () => {
    const one = session();
    store.save(() => one, null);
    await saved(one.trackingToken);
    // Only its own key: other suites may use the same server.
    await redis.del(`ponte:tracking:${one.trackingToken}`);
    expect(await store.find(one.trackingToken)).toBeNull();
    store.save(() => one, null);
    expect(await saved(one.trackingToken)).not.toBeNull();
    expect(await store.forget([one.trackingToken])).toBe(1);
  });

  test("what there is goes also where Redis takes nothing more", async () => {
    const one = session();
    store.save(() => one, null);
    await saved(one.trackingToken);
    // As one that is full: it answers, and takes no mark.
    const user = `ponte_test_${crypto.randomUUID()}`;
    await redis.acl("SETUSER", user, "on", ">sesame", "~*", "+@all", "-set");
    const url = new URL(redisUrl ?? "");
    Object.assign(url, { username: user, password: "sesame" });
    const full = new Redis(url.href);
    await new Promise<void>((ready) => void full.once("ready", ready));
    try {
      expect(await redisTrackingStore(full, 3).forget([one.trackingToken])).toBe(1);
    } finally {
      full.disconnect();
      await redis.acl("DELUSER", user);
    }
    expect(await store.find(one.trackingToken)).toBeNull();
  });

  test("whoever read a visit before it was forgotten makes no copy of it afterwards", async () => {
    const [erased, other] = [session(), session()];
    store.save(() => erased, null);
    await saved(erased.trackingToken);
    expect(await store.forget([erased.trackingToken])).toBe(1);
    for (const one of [erased, other]) store.save(() => one, null);
    await saved(other.trackingToken);
    await until(async () => (await store.count([erased.trackingToken])) === 0);
  });
});
