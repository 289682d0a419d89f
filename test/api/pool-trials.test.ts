import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { desc } from "drizzle-orm";
import { SCHEMAS } from "../../src/api/schemas.ts";
import { useSandbox } from "../sandbox/client.ts";
import { testDialect } from "../support/database.ts";
import { type Harness, openHarness } from "./harness.ts";

const TOKEN = "EAABtheTokenOfMetaThatNobodyReads";
const PIXEL = "1234567890";
const GATE = { meta_cloaker_enabled: true, meta_cloaker_param_value: "k7Qx2" };

const meta = useSandbox();
let api: Harness;
beforeAll(async () => {
  api = await openHarness({ graphUrl: meta.sandbox().url });
  api.clock.at = new Date();
  await newPool("tried", { meta_pixel_id: PIXEL, meta_access_token: TOKEN, capture_params: ["src"] });
  await newPool("bare", {});
  await newPool("gated", GATE);
});
afterAll(() => api.own.dispose());

async function newPool(slug: string, fields: object): Promise<void> {
  const made = await api.call("POST", "/api/pools", { slug, bots: [{ username: `${slug}_bot` }], ...fields });
  expect(made.status).toBe(201);
}

const sent = async () => (await meta.call("GET", "/events")).json;
const testEvent = (slug: string, body: unknown, key?: string) =>
  api.call("POST", `/api/pools/${slug}/test-event`, body, key);

describe(`a pool's pixel over the API, on ${testDialect}`, () => {
  test("a test event goes to Meta at once, and Meta's answer comes back as it was", async () => {
    const answer = await testEvent("tried", { test_event_code: "TEST77" });
    const told = SCHEMAS.TestEvent.parse(answer.body);
    expect(told).toMatchObject({ outcome: "delivered", reason: null, answer: { status: 200 } });
    expect(told.answer.body).toContain("events_received");
    const url = "https://go.example.com/go/tried";
    expect(await sent()).toMatchObject([
      { pixel_id: PIXEL, test_event_code: "TEST77", event: { event_source_url: url } },
    ]);
    expect(told.event).toMatchObject({ event_name: "PageView", event_source_url: url });
    expect(answer.text).not.toContain(TOKEN);
    const { auditLog } = api.own.db.tables;
    const [entry] = await api.own.db.select().from(auditLog).orderBy(desc(auditLog.id)).limit(1);
    expect(entry).toMatchObject({
      actor: "api:environment",
      action: "pool.test_event",
      subject: "pool:tried",
    });
  });

  test("the pool's own code is used where none is given, and without any nothing is sent", async () => {
    expect((await testEvent("tried", {})).status).toBe(422);
    await api.call("PATCH", "/api/pools/tried", { meta_test_event_code: "OWN1" });
    expect((await testEvent("tried", {})).body).toMatchObject({ test_event_code: "OWN1" });
    expect((await testEvent("tried", undefined)).body).toMatchObject({ test_event_code: "OWN1" });
    expect(await sent()).toMatchObject([{ test_event_code: "OWN1" }, { test_event_code: "OWN1" }]);
    // Where a body says what to do, none at all is no wish.
    const { status, body } = await api.call("POST", "/api/outbox/retry");
    expect({ status, body }).toMatchObject({ status: 400, body: { detail: "The body is not valid JSON." } });
  });

  test("Meta's refusal and silence are told in its own words", async () => {
    const fail = (mode: string) => meta.call("POST", "/faults", { mode, times: 1 });
    await fail("190");
    const refused = SCHEMAS.TestEvent.parse((await testEvent("tried", { test_event_code: "T1" })).body);
    expect(refused).toMatchObject({ outcome: "credential", answer: { status: 400 } });
    await fail("reset");
    const silent = SCHEMAS.TestEvent.parse((await testEvent("tried", { test_event_code: "T1" })).body);
    expect(silent).toMatchObject({ outcome: "transient", answer: { status: null } });
    expect(JSON.stringify([refused, silent])).not.toContain(TOKEN);
  });

  test("what cannot be sent is refused: no pixel, no such pool, a bad code, a key that may only read", async () => {
    const bare = await testEvent("bare", { test_event_code: "T1" });
    expect(bare).toMatchObject({ status: 422, body: { detail: expect.stringContaining("no pixel") } });
    expect((await testEvent("nobody", { test_event_code: "T1" })).status).toBe(404);
    for (const body of ["{", [], { test_event_code: "<script>" }, { code: "T1" }])
      expect((await testEvent("tried", body)).status).toBe(400);
    expect((await testEvent("tried", { test_event_code: "T1" }, await api.newKey("read"))).status).toBe(403);
    expect(await sent()).toEqual([]);
  });

  test("the credential is checked without an event, by any key", async () => {
    const key = await api.newKey("read", "checks");
    const check = async (slug: string) =>
      SCHEMAS.PoolPixel.parse((await api.call("GET", `/api/pools/${slug}/pixel`, undefined, key)).body);
    expect(await check("tried")).toEqual({
      kind: "reached",
      pixel_id: PIXEL,
      name: `Sandbox pixel ${PIXEL}`,
      reason: null,
    });
    expect(await check("bare")).toMatchObject({ kind: "no_pixel", pixel_id: null });
    expect((await api.call("GET", "/api/pools/nobody/pixel")).status).toBe(404);
    expect(await sent()).toEqual([]);
  });
});

describe(`a pool's link over the API, on ${testDialect}`, () => {
  const link = (path: string, key?: string) => api.call("GET", `/api/pools/${path}`, undefined, key);

  test("has the gate's parameter and Facebook's macros, which stay bare", async () => {
    const told = SCHEMAS.PoolLink.parse((await link("gated/link")).body);
    expect(told.url).toBe("https://go.example.com/go/gated?grim=k7Qx2");
    expect(told.link).toStartWith(`${told.url}&utm_source=facebook&utm_campaign={{campaign.name}}&`);
    expect(told).toMatchObject({
      gate: { name: "grim", value: "k7Qx2" },
      unknown_macros: [],
      is_public: true,
    });
  });

  test("holds a secret where there is a gate: a key that may only read gets the others", async () => {
    const key = await api.newKey("read", "links");
    const refused = await link("gated/link", key);
    expect(refused.status).toBe(403);
    expect(refused.text).not.toContain("k7Qx2");
    expect(SCHEMAS.PoolLink.parse((await link("tried/link", key)).body).gate).toBeNull();
  });

  test("is told to no key that may only read, by whatever route it asks", async () => {
    const key = await api.newKey("read", "reporting");
    await api.call("PATCH", "/api/pools/gated", { meta_cloaker_param_value: "n3xt" });
    await api.call("PATCH", "/api/pools/gated", { meta_cloaker_param_value: "k7Qx2" });
    for (const path of ["/api/pools", "/api/pools/gated", "/api/audit"]) {
      const reading = await api.call("GET", path, undefined, key);
      expect(reading.status).toBe(200);
      expect(reading.text).toContain("meta_cloaker_param_value");
      expect(reading.text).not.toMatch(/k7Qx2|n3xt/);
      expect((await api.call("GET", path)).text).toContain("k7Qx2");
    }
  });

  test("takes what is asked for, names a misspelt macro, and refuses what the pool would lose", async () => {
    const query = new URLSearchParams({ utm_campaign: "{{campain.name}}", utm_term: "", src: "a & b" });
    const told = SCHEMAS.PoolLink.parse((await link(`tried/link?${query}`)).body);
    expect(told.unknown_macros).toEqual(["{{campain.name}}"]);
    expect(told.url_parameters).toContain("src=a%20%26%20b");
    expect(told.url_parameters).not.toContain("utm_term");
    const lost = await link("tried/link?ref=1&constructor=2");
    expect(lost).toMatchObject({ status: 422, body: { errors: [{ path: "ref" }, { path: "constructor" }] } });
    expect((await link(`tried/link?src=${"x".repeat(301)}`)).status).toBe(400);
    expect((await link("nobody/link")).status).toBe(404);
  });
});
