import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { SCHEMAS } from "../../src/api/schemas.ts";
import { testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { type SeededVisitor, seedVisitor } from "../support/seed-visitor.ts";
import { type Harness, openHarness } from "./harness.ts";

let api: Harness;
let visitor: SeededVisitor;
beforeAll(async () => {
  api = await openHarness();
  visitor = await seedVisitor(api.own.db);
  await seedVisitor(api.own.db);
});
afterAll(() => api.own.dispose());

describe(`what the console shows, over the API, on ${testDialect}`, () => {
  test("a visitor is found by token, payment, event id and Telegram user", async () => {
    const { token, paymentId, telegramUserId } = visitor;
    for (const key of [token, paymentId, `evt_${token}`, `purchase_${paymentId}`, telegramUserId]) {
      const { items } = SCHEMAS.Timelines.parse((await api.call("GET", `/api/sessions?q=${key}`)).body);
      expect(items.map(({ tracking_token }) => tracking_token)).toEqual([token]);
    }
    expect((await api.call("GET", "/api/sessions?q=nobody")).body).toEqual({ items: [] });
    for (const query of ["", "?q=", "?q=%00", "?name=x"])
      expect((await api.call("GET", `/api/sessions${query}`)).status).toBe(400);
  });

  test("a payment is read with its buyer", async () => {
    const answer = await api.call("GET", `/api/payments/${visitor.paymentId}`);
    expect(SCHEMAS.Timeline.parse(answer.body).payments).toMatchObject([{ id: visitor.paymentId }]);
    expect((await api.call("GET", `/api/payments/${"0".repeat(32)}`)).status).toBe(404);
    expect((await api.call("GET", "/api/payments/x")).status).toBe(404);
  });

  test("the audit log is listed in pages, newest first", async () => {
    for (const name of ["one", "two", "three"]) await api.call("POST", "/api/keys", { name, scope: "read" });
    const first = SCHEMAS.AuditPage.parse((await api.call("GET", "/api/audit?limit=2")).body);
    expect(first.items).toMatchObject([{ after: { name: "three" } }, { after: { name: "two" } }]);
    const second = await api.call("GET", `/api/audit?limit=2&cursor=${first.next_cursor}`);
    expect(SCHEMAS.AuditPage.parse(second.body).items[0]).toMatchObject({ after: { name: "one" } });
  });

  test("a list that ends with its page leads to no other", async () => {
    const { items } = SCHEMAS.AuditPage.parse((await api.call("GET", "/api/audit")).body);
    const nextAfter = async (limit: number) =>
      SCHEMAS.AuditPage.parse((await api.call("GET", `/api/audit?limit=${limit}`)).body).next_cursor;
    expect(await nextAfter(items.length)).toBeNull();
    expect(await nextAfter(items.length - 1)).toBe(String(items.at(-2)?.id));
  });

  test("the gates' refusals are counted by pool and reason, within a span", async () => {
    const { pool } = await addPool(api.own.db, { slug: "gated" });
    const { gateRefusals } = api.own.db.tables;
    const at = (iso: string) => ({ poolId: pool.id, hour: new Date(iso) });
    await api.own.db.transaction(async (tx) => {
      await tx.insert(gateRefusals).values([
        { ...at("2025-03-01T10:00:00Z"), reason: "param", total: 5 },
        { ...at("2025-03-01T10:00:00Z"), reason: "automated", total: 2 },
        { ...at("2025-03-02T10:00:00Z"), reason: "param", total: 70 },
      ]);
    });
    const span = "after=2025-03-01T00:00:00Z&before=2025-03-02T00:00:00Z";
    const answer = await api.call("GET", `/api/gate/refusals?${span}`);
    expect(SCHEMAS.GateRefusals.parse(answer.body).items).toEqual([
      { pool_id: pool.id, pool: "gated", param: 5, automated: 2 },
    ]);
    const within = "after=2025-03-01T10:30:00Z&before=2025-03-01T10:50:00Z";
    expect((await api.call("GET", `/api/gate/refusals?${within}`)).body).toEqual(answer.body);
    const later = await api.call("GET", "/api/gate/refusals?after=2025-03-01T11:00:00Z&before=2025-03-02");
    expect(later.body).toEqual({ items: [] });
    const day = await api.call("GET", "/api/gate/refusals?after=2025-03-01&before=2025-03-02");
    expect(day.body).toEqual(answer.body);
    expect((await api.call("GET", "/api/gate/refusals?after=yesterday")).status).toBe(400);
    // Without a span, of the last 24 hours.
    api.clock.at = new Date("2025-03-02T11:00:00Z");
    expect((await api.call("GET", "/api/gate/refusals")).body).toEqual({
      items: [{ pool_id: pool.id, pool: "gated", param: 70, automated: 0 }],
    });
  });
});
