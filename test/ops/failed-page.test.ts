import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { createTestApp, type TestApp } from "../support/app.ts";
import { testDialect } from "../support/database.ts";
import { logIn, OPERATOR_PASSWORD, type TestOperator } from "../support/operator.ts";

const API_KEY = "a-key-of-the-test-0123456789abcdef";

let own: TestApp;
let operator: TestOperator;
beforeAll(async () => {
  own = await createTestApp({ OPERATOR_PASSWORD, API_KEY, PUBLIC_URL: "http://bridge.example.com" });
  operator = await logIn(own);
  await own.db.transaction(async (tx) => {
    for (const table of ["audit_log", "api_keys"]) await tx.rows(sql.raw(`drop table ${table}`));
  });
});
afterAll(() => own.dispose());

const failures = () => own.logLines.filter(({ msg }) => msg === "a request failed");

describe(`what the database refuses inside a request on ${testDialect}`, () => {
  test("is a page of the console that says what to run and where the log has it", async () => {
    const answer = await operator.get("/ops/audit");
    expect(answer.status).toBe(500);
    expect(answer.headers.get("content-type")).toStartWith("text/html");
    const id = answer.headers.get("x-request-id");
    const html = await answer.text();
    expect(html).toContain("run: bun run ponte migrate");
    expect(html).toContain(`request_id ${id}`);
    expect(failures().at(-1)).toMatchObject({
      request_id: id,
      todo: expect.stringContaining("ponte migrate"),
    });
    // The rest of the console goes on.
    expect((await operator.get("/ops/pools")).status).toBe(200);
  });

  test("is a problem for a script, with the same line in the log", async () => {
    const answer = await own.request("/api/keys", { headers: { authorization: `Bearer ${API_KEY}` } });
    expect(answer.status).toBe(500);
    expect(failures().at(-1)).toMatchObject({
      request_id: answer.headers.get("x-request-id"),
      todo: expect.stringContaining("ponte migrate"),
    });
    expect(JSON.stringify(await answer.json())).not.toContain("api_keys");
  });
});
