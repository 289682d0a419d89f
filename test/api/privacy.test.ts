import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { SCHEMAS } from "../../src/api/schemas.ts";
import { unavailableSpool } from "../../src/db/spool/spool.ts";
import { newId } from "../../src/platform/ids.ts";
import { createTestApp } from "../support/app.ts";
import { testDialect } from "../support/database.ts";
import { seedVisitor } from "../support/seed-visitor.ts";
import { type Harness, openHarness } from "./harness.ts";

let api: Harness;
beforeAll(async () => {
  api = await openHarness();
});
afterAll(() => api.own.dispose());

const erase = (body: unknown, key?: string) => api.call("POST", "/api/privacy/erasures", body, key);

describe(`POST /api/privacy/erasures on ${testDialect}`, () => {
  test("counts, erases, and says how much; again, nothing is left", async () => {
    const { token } = await seedVisitor(api.own.db);
    const counted = await erase({ tracking_token: token, dry_run: true });
    expect(counted.status).toBe(200);
    expect(SCHEMAS.Erasure.parse(counted.body)).toEqual({
      dry_run: true,
      sessions: 1,
      people: 1,
      payments: 1,
      outbox: 3,
      unsent: 1,
      undelivered: 0,
      answers: 0,
      spooled: 0,
      copies: 0,
    });
    const erased = await erase({ tracking_token: token });
    expect(erased.body).toEqual({ ...SCHEMAS.Erasure.parse(counted.body), dry_run: false });
    const again = await erase({ tracking_token: token });
    expect(again.body).toMatchObject({ sessions: 0, people: 0, payments: 0, outbox: 0 });
    const session = await api.call("GET", `/api/sessions/${token}`);
    expect(session.body).toMatchObject({
      session: { consent: "erased", fbclid: null, client_ip: null, utm_source: "facebook" },
      payments: [{ amount_minor: 4990, currency: "BRL", status: "paid" }],
    });
  });

  test("the audit log names the key that asked, and not the customer", async () => {
    const { telegramUserId } = await seedVisitor(api.own.db);
    await erase({ customer: telegramUserId }, await api.newKey("write", "privacy desk"));
    const rows = await api.own.db.select().from(api.own.db.tables.auditLog);
    const entry = rows.find(({ actor }) => actor === "api:privacy desk");
    expect(entry).toMatchObject({ action: "privacy.erase", subject: "customer", after: { sessions: 1 } });
    expect(JSON.stringify(rows)).not.toContain(telegramUserId);
  });

  test("names the spool's disk where that one takes nothing, whatever the database's is like", async () => {
    const full = Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
    const app = await createTestApp({ API_KEY: "a-key-of-the-environment" }, (deps) => ({
      ...deps,
      spool: unavailableSpool(full),
    }));
    const answer = await app.request("/api/privacy/erasures", {
      method: "POST",
      headers: { authorization: "Bearer a-key-of-the-environment", "content-type": "application/json" },
      body: JSON.stringify({ tracking_token: newId() }),
    });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      detail: "DATA_DIR: the spool cannot be used. Make room on its disk.",
    });
    await app.dispose();
  });

  test("takes a key that may write, and refuses one that may only read", async () => {
    expect((await erase({ customer: "123456" }, await api.newKey("read"))).status).toBe(403);
    expect((await api.call("POST", "/api/privacy/erasures", { customer: "1" }, null)).status).toBe(401);
  });

  test.each([
    {},
    { tracking_token: newId(), payment_id: newId() },
    { tracking_token: "short" },
    { payment_id: "'; drop table payments" },
    { customer: "" },
    { customer: "a\u0000b" },
    { customer: "1", dry_run: "yes" },
    { customer: "1", everybody: true },
    [],
    "x",
  ])("refuses %j", async (body) => {
    const answer = await erase(body);
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
  });

  test("its example in the OpenAPI document is one that it takes", async () => {
    const { body } = await api.call("GET", "/openapi/json");
    const found = /"example":(\{"tracking_token":"[0-9a-f]{32}","dry_run":true\})/.exec(JSON.stringify(body));
    const example = JSON.parse(found?.[1] ?? "null");
    expect((await erase(example)).status).toBe(200);
  });
});
