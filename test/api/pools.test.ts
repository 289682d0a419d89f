import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SCHEMAS } from "../../src/api/schemas.ts";
import { testDialect } from "../support/database.ts";
import { seedVisitor } from "../support/seed-visitor.ts";
import { type Harness, openHarness } from "./harness.ts";

let api: Harness;
beforeAll(async () => {
  api = await openHarness();
});
afterAll(() => api.own.dispose());

const bots = [{ username: "shop_bot" }];

describe(`pools over the API on ${testDialect}`, () => {
  test("are made, read, changed and removed", async () => {
    const made = await api.call("POST", "/api/pools", {
      slug: "summer",
      bots,
      meta_pixel_id: "123",
      meta_access_token: "EAAB-secret",
    });
    expect(made.status).toBe(201);
    expect(made.headers.get("cache-control")).toBe("no-store");
    SCHEMAS.Pool.parse(made.body);
    expect(made.text).not.toContain("EAAB");
    expect((await api.call("GET", "/api/pools/summer")).body).toEqual(made.body);
    const changed = await api.call("PATCH", "/api/pools/summer", { name: "New", meta_test_event_code: "T1" });
    expect(changed.body).toMatchObject({ name: "New", meta_test_event_code: "T1", meta_pixel_id: "123" });
    const cleared = await api.call("PATCH", "/api/pools/summer", { meta_test_event_code: null });
    expect(cleared.body).toMatchObject({ meta_test_event_code: null });
    SCHEMAS.PoolPage.parse((await api.call("GET", "/api/pools")).body);
    expect((await api.call("DELETE", "/api/pools/summer")).status).toBe(204);
    expect((await api.call("GET", "/api/pools/summer")).status).toBe(404);
  });

  test("a second pool of the same slug is a conflict", async () => {
    await api.call("POST", "/api/pools", { slug: "twice", bots });
    const again = await api.call("POST", "/api/pools", { slug: "twice", bots });
    expect(again.status).toBe(409);
    expect(SCHEMAS.Problem.parse(again.body).detail).toContain("twice");
  });

  test("what is wrong is named field by field, in a problem", async () => {
    const answer = await api.call("POST", "/api/pools", {
      slug: "Not A Slug",
      meta_pixel_id: "12x",
      bots: [{ username: "shop_bot", weight: 0 }],
      colour: "red",
    });
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(SCHEMAS.Problem.parse(answer.body).errors.map(({ path }) => path)).toEqual([
      "slug",
      "meta_pixel_id",
      "bots.0.weight",
      "colour",
    ]);
  });

  test("what only shows once all is known is named too", async () => {
    const answer = await api.call("POST", "/api/pools", { slug: "half", bots, meta_pixel_id: "123" });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ errors: [{ path: "meta_access_token" }] });
  });

  test.each(["", "{", "[]", "null", "7", '"text"', '{"slug":', "\u0000"])(
    "the body %j is refused",
    async (body) => {
      const answer = await api.call("POST", "/api/pools", body);
      expect(answer.status).toBe(400);
      SCHEMAS.Problem.parse(answer.body);
    },
  );

  test("a body that is too large is refused, and one that is not UTF-8", async () => {
    const large = await api.call("POST", "/api/pools", JSON.stringify({ slug: "x".repeat(70_000) }));
    expect(large.status).toBe(413);
    const binary = await api.send(
      new Request("http://localhost/api/pools", {
        method: "POST",
        headers: { authorization: "Bearer environment-key-0123456789" },
        body: new Uint8Array([0xff, 0xfe, 0x7b]),
      }),
    );
    expect(binary.status).toBe(400);
  });

  test.each([
    "/api/pools/%00",
    "/api/pools/UPPER",
    "/api/pools/a%2Fb",
    "/api/bots/x",
    "/api/keys/abc",
    "/api/sessions/1",
  ])("%s is not found", async (path) => {
    const answer = await api.call(path.includes("keys") ? "DELETE" : "GET", path);
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ status: 404 });
  });

  test.each([
    "?limit=0",
    "?limit=201",
    "?limit=x",
    "?cursor=-1",
    "?cursor=1&cursor=2",
    "?page=2",
    "?cursor=%00",
  ])("the query %s is refused", async (query) => {
    const answer = await api.call("GET", `/api/pools${query}`);
    expect(answer.status).toBe(400);
    expect(SCHEMAS.Problem.parse(answer.body).errors).toHaveLength(1);
  });

  test("any JSON at all is answered with a clear status", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (body) => {
        const answer = await api.call("POST", "/api/pools", JSON.stringify(body));
        expect(answer.status).toBe(400);
      }),
      { numRuns: 200 },
    );
  });
});

describe(`bots over the API on ${testDialect}`, () => {
  test("are made, verified, changed, connected and removed, and never show their token", async () => {
    const refused = await api.call("POST", "/api/bots", { username: "good_bot", token: "7:bad" });
    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({ errors: [{ path: "token" }] });
    const made = await api.call("POST", "/api/bots", { username: "@Good_Bot", token: "7:good" });
    expect(made.status).toBe(201);
    const { id } = SCHEMAS.BotWithWebhook.parse(made.body);
    expect(made.text).not.toContain("7:good");
    expect(made.body).toMatchObject({
      username: "good_bot",
      webhook: { kind: "set", url: `https://go.example.com/telegram/${id}` },
    });
    expect((await api.call("POST", "/api/bots", { username: "GOOD_bot" })).status).toBe(409);
    const changed = await api.call("PATCH", "/api/bots/good_bot", { welcome: "Olá" });
    expect(changed.body).toMatchObject({ welcome: "Olá", webhook: { kind: "as_before" } });
    expect((await api.call("POST", "/api/bots/good_bot/connect")).body).toMatchObject({ kind: "set" });
    SCHEMAS.BotPage.parse((await api.call("GET", "/api/bots")).body);
    SCHEMAS.Bot.parse((await api.call("GET", "/api/bots/good_bot")).body);
    expect((await api.call("DELETE", "/api/bots/good_bot")).status).toBe(204);
    expect((await api.call("GET", "/api/bots/good_bot")).status).toBe(404);
  });
});

describe(`GET /api/sessions/:token on ${testDialect}`, () => {
  test("answers with the whole timeline", async () => {
    const { token } = await seedVisitor(api.own.db);
    const answer = await api.call("GET", `/api/sessions/${token}`, undefined, await api.newKey("read"));
    expect(answer.status).toBe(200);
    expect(SCHEMAS.Timeline.parse(answer.body).steps).toHaveLength(11);
  });

  test.each([
    ["sessions", "0".repeat(32), "No visit has this tracking token."],
    ["sessions", "zz", "No visit has this tracking token."],
    ["sessions", "%00", "No visit has this tracking token."],
    ["payments", "zz", "There is no such payment."],
  ])("/api/%s/%s is not found, and what was looked for is said", async (kind, key, detail) => {
    const answer = await api.call("GET", `/api/${kind}/${key}`);
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ detail });
  });
});
