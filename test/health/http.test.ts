import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { problemSchema } from "../../src/api/schemas/problem.ts";
import { healthPlugin } from "../../src/health/plugin.ts";
import { createMetrics } from "../../src/metrics/metrics.ts";
import { newId } from "../../src/platform/ids.ts";
import { testDialect } from "../support/database.ts";
import { makeApiKey } from "../support/keys.ts";
import { addPool } from "../support/pools.ts";
import {
  API_KEY,
  exportedNames,
  type Observed,
  PIXEL,
  seriesValue,
  someAddress,
  startObserved,
} from "./observed.ts";

let own: Observed;
beforeAll(async () => {
  own = await startObserved();
  const sealed = own.deps.secrets.seal(`EAA${"x".repeat(40)}`, "pools.meta_access_token");
  await addPool(own.db, { slug: "open", metaPixelId: PIXEL, metaAccessToken: sealed });
  await addPool(own.db, { slug: "bare", metaPixelId: null });
  await addPool(own.db, { slug: "botless" }, []);
  await addPool(own.db, { slug: "tested", metaTestEventCode: "TEST1" });
  await addPool(own.db, { slug: "tested-once", metaTestEventCode: "TEST2", enabled: false });
  await addPool(own.db, {
    slug: "gated",
    metaCloakerEnabled: true,
    metaCloakerParamValue: "open-sesame",
    blockAutomated: true,
  });
  await own.deps.pools.refresh();
});
afterAll(() => own.dispose());

describe(`/metrics on ${testDialect}`, () => {
  test("opens only to who may read", async () => {
    const without = await fetch(`${own.base}/metrics`);
    expect(without.status).toBe(401);
    expect(without.headers.get("www-authenticate")).toContain("Bearer");
    const answer = await fetch(`${own.base}/metrics`, { headers: { authorization: `Bearer ${API_KEY}` } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toContain("version=0.0.4");
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  test("counts every visit by what became of it, and where it was stored", async () => {
    for (const path of ["/go/open?fbclid=IwAR0abc", "/go/open", "/go/bare", "/go/none", "/go/botless"])
      await own.go(path);
    await own.go("/go/gated");
    await own.go("/go/gated?grim=wrong");
    await own.go("/go/gated?grim=open-sesame", { "user-agent": "curl/8.0" });
    await own.go("/go/gated?grim=open-sesame");
    await own.go("/go/open", { "sec-purpose": "prefetch" });
    const text = await own.scrape();
    const visits = (result: string) => seriesValue(text, "ponte_visits_total", { result });
    expect({
      page: visits("page"),
      redirect: visits("redirect"),
      refused: visits("gate_refused"),
      notFound: visits("not_found"),
      unavailable: visits("unavailable"),
      lookedAhead: visits("looked_ahead"),
      limited: visits("rate_limited"),
    }).toEqual({ page: 3, redirect: 1, refused: 3, notFound: 1, unavailable: 1, lookedAhead: 1, limited: 0 });
    expect(seriesValue(text, "ponte_gate_refusals_total", { reason: "param" })).toBe(2);
    expect(seriesValue(text, "ponte_gate_refusals_total", { reason: "automated" })).toBe(1);
    expect(seriesValue(text, "ponte_visits_recorded_total", { where: "database" })).toBe(4);
    expect(seriesValue(text, "ponte_visits_recorded_total", { where: "spool" })).toBe(0);
    expect(seriesValue(text, "ponte_commit_visits_sum")).toBe(4);
    expect(seriesValue(text, "ponte_commit_duration_seconds_count")).toBe(
      seriesValue(text, "ponte_commit_visits_count"),
    );
    const go = (status: string) =>
      seriesValue(text, "ponte_http_request_duration_seconds_count", { route: "/go/:slug", status });
    // A prefetch is declined on purpose and is timed as nothing.
    expect([go("2xx"), go("3xx"), go("4xx"), go("5xx")]).toEqual([3, 1, 4, 1]);
  });

  test("shows what waits before it is sent, and how sending went after", async () => {
    // The sample is kept for seconds: a fresh process has none yet.
    const before = await own.scraped(/ponte_outbox_events/);
    expect(before).toContain("# TYPE ponte_outbox_oldest_seconds gauge");
    await own.dispatcher.drain();
    const text = await own.scrape();
    const delivered = { destination: "meta", outcome: "delivered" };
    expect(seriesValue(text, "ponte_delivery_events_total", delivered)).toBe(2);
    expect(seriesValue(text, "ponte_delivery_requests_total", delivered)).toBe(1);
    expect(seriesValue(text, "ponte_delivery_duration_seconds_count", { destination: "meta" })).toBe(1);
    expect(seriesValue(text, "ponte_database_up")).toBe(1);
    expect(seriesValue(text, "ponte_spool_visits", { state: "waiting" })).toBe(0);
    expect(seriesValue(text, "process_resident_memory_bytes")).toBeGreaterThan(1_000_000);
  });

  test("says which pools that are on have a test code that somebody may have forgotten", async () => {
    const text = await own.scrape();
    expect([...text.matchAll(/^ponte_pools_testing.*$/gm)].map(([line]) => line)).toEqual([
      'ponte_pools_testing{pool="tested"} 1',
    ]);
  });

  test("times requests by their route's pattern, whatever their path and however they fail", async () => {
    const token = newId();
    const headers = { authorization: `Bearer ${API_KEY}` };
    expect((await fetch(`${own.base}/api/sessions/${token}`, { headers })).status).toBe(404);
    expect((await fetch(`${own.base}/api/sessions/${token}`)).status).toBe(401);
    expect((await fetch(`${own.base}/no/${token}`)).status).toBe(404);
    await own.scraped('route="unknown"');
    const text = await own.scraped('route="/api/sessions/:token"');
    const count = (labels: Record<string, string>) =>
      seriesValue(text, "ponte_http_request_duration_seconds_count", labels);
    expect(count({ route: "/api/sessions/:token", status: "4xx" })).toBe(2);
    expect(count({ route: "unknown", status: "4xx" })).toBe(1);
    expect(text).not.toContain(token);
  });

  test("times the browsers' reports, which nothing observes but themselves, refused ones too", async () => {
    const report = (body: string) => fetch(`${own.base}/api/tracking/cookies`, { method: "POST", body });
    expect((await report(JSON.stringify({ tracking_token: newId() }))).status).toBe(204);
    const refused = await report("no JSON");
    expect(refused.status).toBe(400);
    // As the OpenAPI document says that it looks.
    const { request_id } = problemSchema.parse(await refused.json());
    expect(String(request_id)).toBe(refused.headers.get("x-request-id") ?? "none");
    const text = await own.scrape();
    const count = (status: string) =>
      seriesValue(text, "ponte_http_request_duration_seconds_count", {
        method: "POST",
        route: "/api/tracking/cookies",
        status,
      });
    expect([count("2xx"), count("4xx"), count("5xx")]).toEqual([1, 1, 0]);
  });

  test("counts webhooks by provider and result, and takes no name from a stranger", async () => {
    const money = { amount_minor: 4990, currency: "BRL" };
    const report = { provider_ref: "r1", status: "paid", ...money, tracking_token: newId() };
    expect((await own.pay(report)).status).toBe(200);
    expect((await own.pay(report, "another-secret-0123456789")).status).toBe(401);
    expect((await own.pay({ provider_ref: "r2", status: "refunded" })).status).toBe(404);
    expect((await own.pay({})).status).toBe(400);
    for (const method of ["POST", "PUT"])
      await fetch(`${own.base}/api/payments/webhooks/invented-${newId()}`, { method, body: "{}" });
    const text = await own.scraped(/provider="other",result="malformed"/);
    const count = (result: string) =>
      seriesValue(text, "ponte_webhooks_total", { provider: "generic", result });
    expect([count("accepted"), count("forged"), count("unknown"), count("malformed")]).toEqual([1, 1, 1, 1]);
    for (const result of ["unknown", "malformed"])
      expect(seriesValue(text, "ponte_webhooks_total", { provider: "other", result })).toBe(1);
    expect(text).not.toContain("invented");
  });

  test("is text that Prometheus reads: each series belongs to a metric with type and help", async () => {
    const text = await own.scrape();
    const names = exportedNames(text);
    for (const line of text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))) {
      const [, name = ""] =
        /^([a-z_]+)(?:\{(?:\w+="(?:[^"\\]|\\.)*",?)*\})? (?:-?[\d.e+-]+|NaN|\+Inf)$/.exec(line) ?? [];
      expect({ line, known: names.has(name) }).toEqual({ line, known: true });
    }
    expect([...text.matchAll(/^# HELP /gm)].length).toBe([...text.matchAll(/^# TYPE /gm)].length);
  });

  test("opens to a key of the database too, and while that is away to whoever could read before", async () => {
    const { key } = await makeApiKey(own.deps, "prometheus", "read");
    expect(await own.scrape(key)).toContain("ponte_build_info");

    let [isAway, isRevoked] = [false, false];
    const metrics = createMetrics([]);
    const app = healthPlugin({
      ...own.deps,
      metrics,
      build: { version: "0", role: "web" },
      mayRead: async (request) => {
        if (isAway) return new Response(null, { status: 503 });
        const isGood = request.headers.get("authorization") === "good" && !isRevoked;
        return isGood ? null : new Response(null, { status: 401 });
      },
    });
    const ask = async (authorization: string) =>
      (await app.handle(new Request("http://bridge.example.com/metrics", { headers: { authorization } })))
        .status;
    expect([await ask("good"), await ask("bad")]).toEqual([200, 401]);
    isAway = true;
    expect([await ask("good"), await ask("bad")]).toEqual([200, 503]);
    // A key that was refused meanwhile, as a revoked one, is no key of before.
    [isAway, isRevoked] = [false, true];
    expect(await ask("good")).toBe(401);
    isAway = true;
    expect(await ask("good")).toBe(503);
  });

  test("has the other numbers where the database fails, and none of what cannot be looked at any more", async () => {
    let isBroken = false;
    const broken = () => Promise.reject(new Error("connection refused"));
    const counts = () => {
      if (isBroken) throw new Error("the disk is gone");
      return { waiting: 3, setAside: 0 };
    };
    const app = healthPlugin({
      ...own.deps,
      db: { ...own.db, rows: broken },
      spool: { ...own.deps.spool, counts },
      metrics: createMetrics([]),
      build: { version: "0", role: "web" },
      mayRead: async () => null,
    });
    const scrape = async () => (await app.handle(new Request("http://bridge.example.com/metrics"))).text();
    const whole = await scrape();
    expect(seriesValue(whole, "ponte_database_up")).toBe(0);
    expect(seriesValue(whole, "ponte_spool_visits", { state: "waiting" })).toBe(3);
    expect(seriesValue(whole, "ponte_outbox_events")).toBeUndefined();
    isBroken = true;
    const rest = await scrape();
    expect(seriesValue(rest, "ponte_database_up")).toBe(0);
    expect(seriesValue(rest, "ponte_spool_visits")).toBeUndefined();
  });

  test("counts who is turned away for asking too often", async () => {
    const headers = { "x-forwarded-for": someAddress() };
    for (let i = 0; i <= 20; i++) await own.go("/go/gated", headers);
    expect(seriesValue(await own.scrape(), "ponte_visits_total", { result: "rate_limited" })).toBe(1);
  });
});

describe(`/readyz and /healthz on ${testDialect}`, () => {
  test("a process that answers is alive; ready is only one whose events are sent", async () => {
    expect((await fetch(`${own.base}/healthz`)).status).toBe(200);
    const unready = await fetch(`${own.base}/readyz`);
    expect(unready.status).toBe(503);
    expect(unready.headers.get("cache-control")).toBe("no-store");
    expect(await unready.json()).toMatchObject({
      ready: false,
      checks: {
        database: { ok: true },
        migrations: { ok: true },
        dispatcher: { ok: false, heartbeat_age_seconds: null },
        spool: { ok: true, waiting: 0, set_aside: 0 },
      },
    });
    own.dispatcher.start();
    let ready = await fetch(`${own.base}/readyz`);
    while (ready.status !== 200) ready = await fetch(`${own.base}/readyz`);
    expect(await ready.json()).toMatchObject({ ready: true, checks: { dispatcher: { ok: true } } });
  });

  test("however many ask whether it is ready, the database is asked once", async () => {
    let asked = 0;
    const rows: typeof own.db.rows = (statement, values) => {
      asked++;
      return own.db.rows(statement, values);
    };
    const app = healthPlugin({
      ...own.deps,
      db: { ...own.db, rows },
      metrics: createMetrics([]),
      build: { version: "0", role: "web" },
      mayRead: async () => null,
    });
    const ask = () => app.handle(new Request("http://bridge.example.com/readyz"));
    await Promise.all(Array.from({ length: 10 }, ask));
    // The database, its migrations and the dispatchers.
    expect(asked).toBe(3);
  });
});
