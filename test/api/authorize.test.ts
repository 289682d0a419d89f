import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import { createAuthorize } from "../../src/api/authorize.ts";
import { SCHEMAS } from "../../src/api/schemas.ts";
import { readConfig } from "../../src/config.ts";
import { openDatabase } from "../../src/db/open.ts";
import { createLog } from "../../src/platform/log.ts";
import { testDialect } from "../support/database.ts";
import { refusal } from "../support/refused-settings.ts";
import { ENVIRONMENT_KEY, type Harness, openHarness } from "./harness.ts";

let api: Harness;
beforeAll(async () => {
  api = await openHarness();
});
afterAll(() => api.own.dispose());

async function keyRow(name: string) {
  const { apiKeys } = api.own.db.tables;
  const [row] = await api.own.db.select().from(apiKeys).where(eq(apiKeys.name, name));
  if (row === undefined) throw new Error(`no key ${name}`);
  return row;
}

describe(`API keys on ${testDialect}`, () => {
  test("a call without a key is told how to send one", async () => {
    const answer = await api.call("GET", "/api/pools", undefined, null);
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="ponte"');
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.body).toMatchObject({ title: "Unauthorized", status: 401, errors: [] });
  });

  test.each(["Basic abc", "Bearer", "Bearer ", "Bearer two words", "Bearer schlüssel", "abc"])(
    "the header %j is refused",
    async (authorization) => {
      const answer = await api.send(
        new Request("http://localhost/api/pools", { headers: { authorization } }),
      );
      expect(answer.status).toBe(401);
    },
  );

  test("an unknown key is refused, and so is one that begins like a good one", async () => {
    for (const key of ["nonsense", ENVIRONMENT_KEY.slice(0, -1), `${ENVIRONMENT_KEY}x`]) {
      const answer = await api.call("GET", "/api/pools", undefined, key);
      expect(answer.status).toBe(401);
      expect(answer.headers.get("www-authenticate")).toContain('error="invalid_token"');
    }
  });

  test("the longest key that the environment may have is read whole", async () => {
    const apiKey = "~".repeat(512);
    expect(refusal({ API_KEY: apiKey })).toEqual([]);
    const { db } = api.own;
    const authorize = createAuthorize({ db, now: () => new Date(), log: createLog("silent"), apiKey });
    const headers = { authorization: `Bearer ${apiKey}` };
    expect(await authorize(new Request("http://localhost/", { headers }), "write")).toMatchObject({
      kind: "authorized",
    });
  });

  test("the scheme may be written in small letters", async () => {
    const headers = { authorization: `bearer ${ENVIRONMENT_KEY}` };
    expect((await api.send(new Request("http://localhost/api/pools", { headers }))).status).toBe(200);
  });

  test("the environment's key may read and write", async () => {
    expect((await api.call("GET", "/api/pools")).status).toBe(200);
    expect((await api.call("DELETE", "/api/pools/nobody")).status).toBe(404);
  });

  test("a reading key reads and may not write, whatever it writes", async () => {
    const key = await api.newKey("read", "reader");
    for (const method of ["GET", "HEAD"])
      expect((await api.call(method, "/api/pools", undefined, key)).status).toBe(200);
    for (const [method, path] of [
      ["POST", "/api/pools"],
      ["PATCH", "/api/pools/nobody"],
      ["DELETE", "/api/pools/nobody"],
      ["POST", "/api/keys"],
    ] as const) {
      const answer = await api.call(method, path, {}, key);
      expect(answer.status).toBe(403);
      expect(answer.headers.get("www-authenticate")).toContain("insufficient_scope");
    }
  });

  test("the key is looked at before the body", async () => {
    for (const body of ["{", "{}", '"x"']) {
      expect((await api.call("POST", "/api/pools", body, null)).status).toBe(401);
    }
  });

  test("a key is shown once, stored as a digest, listed with a hint, and ends when revoked, alone", async () => {
    const other = await api.newKey("read", "stays");
    const made = await api.call("POST", "/api/keys", { name: "once", scope: "write" });
    expect(made.status).toBe(201);
    const { key, id } = SCHEMAS.NewApiKey.parse(made.body);
    expect(key).toMatch(/^ponte_[\w-]{43}$/);
    expect(JSON.stringify(await keyRow("once"))).not.toContain(key);
    const twin = await api.call("POST", "/api/keys", { name: "once", scope: "read" });
    expect([twin.status, twin.text]).toEqual([409, expect.stringContaining("called once already")]);
    const listed = await api.call("GET", "/api/keys");
    expect(listed.text).not.toContain(key);
    expect(SCHEMAS.ApiKeyPage.parse(listed.body).items).toContainEqual(
      expect.objectContaining({ id, hint: key.slice(-4), scope: "write" }),
    );
    expect((await api.call("GET", "/api/pools", undefined, key)).status).toBe(200);
    expect((await api.call("DELETE", `/api/keys/${id}`)).body).toMatchObject({
      revoked_at: expect.any(String),
    });
    expect((await api.call("GET", "/api/pools", undefined, key)).status).toBe(401);
    expect((await api.call("GET", "/api/pools", undefined, other)).status).toBe(200);
    expect((await api.call("DELETE", `/api/keys/${id}`)).status).toBe(200);
    expect((await api.call("DELETE", "/api/keys/999999")).status).toBe(404);
  });

  test("its last use is noted, at most once a minute", async () => {
    const key = await api.newKey("read", "used");
    await api.newKey("read", "unused");
    const use = async (at: string) => {
      api.clock.at = new Date(at);
      expect((await api.call("GET", "/api/pools", undefined, key)).status).toBe(200);
      return (await keyRow("used")).lastUsedAt?.toISOString();
    };
    expect((await keyRow("used")).lastUsedAt).toBeNull();
    expect(await use("2025-01-01T10:00:00.000Z")).toBe("2025-01-01T10:00:00.000Z");
    expect(await use("2025-01-01T10:00:59.000Z")).toBe("2025-01-01T10:00:00.000Z");
    expect(await use("2025-01-01T10:01:00.001Z")).toBe("2025-01-01T10:01:00.001Z");
    expect((await keyRow("unused")).lastUsedAt).toBeNull();
  });

  test("a busy key takes no turn among those who write", async () => {
    const key = await api.newKey("read", "busy");
    const { db } = api.own;
    let writes = 0;
    const transaction: typeof db.transaction = (work, durability) => {
      writes++;
      return db.transaction(work, durability);
    };
    const deps = { db: { ...db, transaction }, now: () => api.clock.at, log: createLog("silent") };
    const authorize = createAuthorize({ ...deps, apiKey: undefined });
    const request = new Request("http://localhost/", { headers: { authorization: `Bearer ${key}` } });
    for (let i = 0; i < 5; i++)
      expect(await authorize(request, "read")).toMatchObject({ kind: "authorized" });
    expect(writes).toBe(1);
  });

  test.if(testDialect === "postgres")(
    "while the database gives no answer, whoever asks is told to come again",
    async () => {
      const asked = await openDatabase(readConfig({ DATABASE_URL: api.own.url }).database);
      const deps = { db: asked, now: () => api.clock.at, log: createLog("silent"), apiKey: undefined };
      const request = new Request("http://localhost/", { headers: { authorization: "Bearer some-key" } });
      await api.own.db.transaction(async (tx) => {
        await tx.rows(sql`lock table ${asked.tables.apiKeys}`);
        const authorization = await createAuthorize(deps)(request, "read");
        expect(authorization.kind === "refused" && authorization.response.status).toBe(503);
      });
      await asked.close();
    },
  );

  test("where its use cannot be noted, because the database takes no writes, it opens all the same", async () => {
    const key = await api.newKey("read", "witness");
    const authorize = createAuthorize({
      db: { ...api.own.db, transaction: () => Promise.reject(new Error("read-only")) },
      now: () => api.clock.at,
      log: createLog("silent"),
      apiKey: undefined,
    });
    const request = new Request("http://localhost/", { headers: { authorization: `Bearer ${key}` } });
    expect(await authorize(request, "read")).toMatchObject({ kind: "authorized", actor: "api:witness" });
  });

  test("the audit log names the key that did it", async () => {
    const key = await api.newKey("write", "gardener");
    await api.call("POST", "/api/pools", { slug: "audited", bots: [{ username: "audit_bot" }] }, key);
    const { auditLog } = api.own.db.tables;
    const rows = await api.own.db.select().from(auditLog).where(eq(auditLog.subject, "pool:audited"));
    expect(rows).toMatchObject([{ actor: "api:gardener", action: "pool.create" }]);
  });
});
