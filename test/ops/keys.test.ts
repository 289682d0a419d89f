import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { desc } from "drizzle-orm";
import fc from "fast-check";
import { createApiKey } from "../../src/keys/api-keys.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { lastAudit } from "../support/audit.ts";
import { testDialect } from "../support/database.ts";
import { errorsIn, formIn, inlineScripts } from "../support/html.ts";
import { logIn, newBrowser, OPERATOR_PASSWORD, type TestOperator } from "../support/operator.ts";

const EVIL = `"><script>alert(1)</script>`;

let own: TestApp;
let operator: TestOperator;
beforeAll(async () => {
  own = await createTestApp({ OPERATOR_PASSWORD });
  operator = await logIn(own);
});
afterAll(() => own.dispose());

async function see(path = "/ops/keys"): Promise<string> {
  const answer = await operator.get(path);
  expect(answer.status).toBe(200);
  return answer.text();
}

/** The form of a new key as the page has it, filled in. */
async function filledIn(name: string, scope: string) {
  return { ...formIn(await see(), "/ops/keys"), name, scope };
}

async function makeKey(name: string, scope: string): Promise<string> {
  const answer = await operator.post("/ops/keys", await filledIn(name, scope));
  expect(answer.status).toBe(200);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  return /id="new-key">(ponte_[\w-]{43})</.exec(await answer.text())?.[1] ?? "";
}

/** What the JSON API answers to that key. */
async function statusFor(key: string, method = "GET"): Promise<number> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const body = method === "GET" ? {} : { body: JSON.stringify({ username: "made_by_key_bot" }) };
  return (await own.request("/api/bots", { method, headers, ...body })).status;
}

async function lastId(): Promise<number> {
  const { apiKeys } = own.db.tables;
  const [row] = await own.db.select().from(apiKeys).orderBy(desc(apiKeys.id)).limit(1);
  return row?.id ?? 0;
}

describe(`the console's API keys on ${testDialect}`, () => {
  test("a key is shown in the answer that made it and nowhere else, and may what its scope says", async () => {
    const reading = await makeKey("reporting", "read");
    expect([await statusFor(reading), await statusFor(reading, "POST")]).toEqual([200, 403]);
    const entry = await lastAudit(own.db);
    expect(entry).toMatchObject({ actor: "console", action: "api_key.create", after: { scope: "read" } });
    const writing = await makeKey("shop", "write");
    expect([await statusFor(writing), await statusFor(writing, "POST")]).toEqual([200, 201]);
    const html = await see();
    for (const text of ["reporting", "shop", `…${reading.slice(-4)}`]) expect(html).toContain(text);
    const { apiKeys, auditLog } = own.db.tables;
    const stored = [await own.db.select().from(apiKeys), await own.db.select().from(auditLog), own.logLines];
    for (const key of [reading, writing]) {
      expect(html).not.toContain(key);
      expect(JSON.stringify(stored)).not.toContain(key);
    }
  });

  test("a form that comes again, as by reloading the page with the key, makes no second key", async () => {
    const { apiKeys, auditLog } = own.db.tables;
    const form = await filledIn("once", "read");
    const made = await (await operator.post("/ops/keys", form)).text();
    const counts = async () => [await own.db.$count(apiKeys), await own.db.$count(auditLog)];
    const before = await counts();
    for (const again of [form, { ...form, name: "other", scope: "write" }]) {
      const answer = await operator.post("/ops/keys", again);
      expect(answer.headers.get("location")).toBe("/ops/keys");
      const html = await see();
      expect(html).toContain("This form had made the key once already");
      expect(html).not.toContain('id="new-key"');
      expect(await counts()).toEqual(before);
    }
    // The page with the key has a fresh form.
    const next = { ...formIn(made, "/ops/keys"), name: "next", scope: "read" };
    expect((await operator.post("/ops/keys", next)).status).toBe(200);
    expect(await own.db.$count(apiKeys)).toBe((before[0] ?? 0) + 1);
  });

  test("a form that comes several times at once, to more than one process, makes one key", async () => {
    const { url } = own.deps.config.database;
    const other = await createTestApp({ OPERATOR_PASSWORD, DATABASE_URL: url });
    const there = newBrowser(other);
    for (const [name, value] of operator.cookies) there.cookies.set(name, value);
    const { apiKeys } = own.db.tables;
    const before = await own.db.$count(apiKeys);
    const form = await filledIn("tapped", "read");
    const answers = await Promise.all(
      [operator, there, operator, there].map((browser) => browser.post("/ops/keys", form)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 303, 303, 303]);
    expect((await there.post("/ops/keys", form)).status).toBe(303);
    expect(await own.db.$count(apiKeys)).toBe(before + 1);
    await other.dispose();
  });

  test("a form without an id of ours makes no key, and comes back with what was typed and an id", async () => {
    const { apiKeys } = own.db.tables;
    const before = await own.db.$count(apiKeys);
    for (const id of [{}, { form_id: "" }, { form_id: EVIL }]) {
      const answer = await operator.post("/ops/keys", { name: "typed", scope: "write", ...id });
      expect(answer.status).toBe(400);
      const html = await answer.text();
      expect(html).toContain("out of date");
      expect(inlineScripts(html)).toEqual([]);
      expect(formIn(html, "/ops/keys")).toMatchObject({
        name: ["typed"],
        scope: ["write"],
        form_id: [expect.stringMatching(/^[0-9a-f]{32}$/)],
      });
    }
    expect(await own.db.$count(apiKeys)).toBe(before);
  });

  test("a key is revoked after a question, at once and once", async () => {
    const key = await makeKey("leaked", "write");
    const path = `/ops/keys/${await lastId()}/revoke`;
    const html = await see();
    expect(html).toContain(`action="${path}"`);
    expect(html).toContain("There is no undo");
    expect((await operator.get(path)).status).toBe(404);
    expect(await statusFor(key)).toBe(200);
    expect((await operator.post(path)).headers.get("location")).toBe("/ops/keys");
    expect(await statusFor(key)).toBe(401);
    const entry = await lastAudit(own.db);
    expect(entry).toMatchObject({
      actor: "console",
      action: "api_key.revoke",
      before: { revoked_at: null },
      after: { revoked_at: expect.any(String) },
    });
    await operator.post(path);
    expect((await lastAudit(own.db))?.id).toBe(entry?.id);
    expect(await see()).not.toContain(`action="${path}"`);
    await operator.post("/ops/keys/999999/revoke");
    expect(operator.cookies.get("ponte_note")).toStartWith("warn%3A");
    expect(await see()).toContain("there is no such key");
  });

  test("what is wrong stands beside its field, what was typed stays, and no key is made", async () => {
    const { apiKeys } = own.db.tables;
    const before = await own.db.$count(apiKeys);
    for (const [fields, wrong] of [
      [{}, ["name", "scope"]],
      [{ name: "fine", scope: "admin" }, ["scope"]],
      [{ name: `${EVIL}\u0000`, scope: "read" }, ["name"]],
      [{ name: "x".repeat(61), scope: "read" }, ["name"]],
    ] as const) {
      const answer = await operator.post("/ops/keys", fields);
      expect(answer.status).toBe(400);
      const html = await answer.text();
      expect(Object.keys(errorsIn(html))).toEqual([...wrong]);
      expect(inlineScripts(html)).toEqual([]);
    }
    const typed = await (await operator.post("/ops/keys", { name: "typed", scope: "?" })).text();
    expect(typed).toContain('value="typed"');
    expect(await own.db.$count(apiKeys)).toBe(before);
  });

  test("the list goes on page by page, each key once, and strangers' names are text", async () => {
    for (let i = 0; i < 60; i++) await createApiKey(own.deps, "cli", { name: `${EVIL}${i}.`, scope: "read" });
    const seen: number[] = [];
    let path: string | undefined = "/ops/keys";
    while (path !== undefined) {
      const html: string = await see(path);
      expect(inlineScripts(html)).toEqual([]);
      seen.push(...[...html.matchAll(/(\d+)\.<\/span>/g)].map(([, i]) => Number(i)));
      path = /href="([^"]+)" rel="next"/.exec(html)?.[1];
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_, i) => i));
  });

  test("a name that a live key has is refused, because the audit log tells keys by it; a revoked one's is free", async () => {
    await makeKey("twin", "read");
    const id = await lastId();
    const answer = await operator.post("/ops/keys", await filledIn("twin", "write"));
    expect(answer.status).toBe(400);
    expect(errorsIn(await answer.text())).toEqual({ name: expect.stringContaining("called twin already") });
    expect(await lastId()).toBe(id);
    await operator.post(`/ops/keys/${id}/revoke`);
    expect(await makeKey("twin", "write")).toStartWith("ponte_");
  });

  test("forged forms make and end nothing, and no address breaks the page", async () => {
    const key = await makeKey("stays", "read");
    const path = `/ops/keys/${await lastId()}/revoke`;
    const before = await own.db.$count(own.db.tables.apiKeys);
    const cookie = [...operator.cookies].map((pair) => pair.join("=")).join("; ");
    for (const action of [path, "/ops/keys"]) {
      const forged = await own.request(action, {
        method: "POST",
        body: new URLSearchParams({ name: "forged", scope: "write" }),
        headers: { cookie, origin: "http://bridge.example.com" },
      });
      expect(forged.status).toBe(403);
    }
    expect(await own.db.$count(own.db.tables.apiKeys)).toBe(before);
    expect(await statusFor(key)).toBe(200);
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: "binary" }), fc.double().map(String)), async (given) => {
        const text = encodeURIComponent(given.toWellFormed());
        expect((await operator.get(`/ops/keys?cursor=${text}`)).status).toBe(200);
        expect((await operator.post(`/ops/keys/x${text}/revoke`)).status).toBe(303);
      }),
      { numRuns: 15 },
    );
  });
});
