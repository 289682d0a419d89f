import { afterAll, beforeAll, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { SCHEMAS } from "../../src/api/schemas.ts";
import { type Harness, openHarness } from "./harness.ts";

let api: Harness;
beforeAll(async () => {
  api = await openHarness();
});
afterAll(() => api.own.dispose());

test("the audit log says of a revoked key that it was live", async () => {
  const made = await api.call("POST", "/api/keys", { name: "reporting", scope: "read" });
  const { id } = SCHEMAS.NewApiKey.parse(made.body);
  await api.call("DELETE", `/api/keys/${id}`);
  const { auditLog } = api.own.db.tables;
  const rows = await api.own.db.select().from(auditLog).where(eq(auditLog.action, "api_key.revoke"));
  expect(rows).toMatchObject([
    { subject: `api_key:${id}`, before: { revoked_at: null }, after: { revoked_at: expect.any(String) } },
  ]);
});

test("the audit log says of a change what changed alone, and of a new token that it is new", async () => {
  const gated = { slug: "summer", bots: [{ username: "shop_bot" }], meta_pixel_id: "123" };
  await api.call("POST", "/api/pools", { ...gated, meta_access_token: "EAAB-first" });
  for (const change of [{ name: "Summer" }, { meta_access_token: "EAAB-second" }])
    expect((await api.call("PATCH", "/api/pools/summer", change)).status).toBe(200);
  const { auditLog } = api.own.db.tables;
  const rows = await api.own.db
    .select({ before: auditLog.before, after: auditLog.after })
    .from(auditLog)
    .where(eq(auditLog.action, "pool.update"))
    .orderBy(auditLog.id);
  expect(rows).toEqual([
    { before: { name: "summer" }, after: { name: "Summer" } },
    { before: {}, after: { meta_access_token: "[changed]" } },
  ]);
});
