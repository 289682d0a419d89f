import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { LARGEST_BODY_BYTES } from "../src/platform/body.ts";
import { createTestApp, type TestApp } from "./support/app.ts";

const API_KEY = "api-key-of-the-environment-0123456789";

let own: TestApp;
beforeAll(async () => {
  own = await createTestApp({ API_KEY, GENERIC_WEBHOOK_SECRET: "webhook-secret-of-generic" });
});
afterAll(() => own.dispose());

describe("a method that an address does not take", () => {
  test.each([
    ["POST", "/go/summer", "GET, HEAD"],
    ["POST", "/go", "GET, HEAD"],
    ["GET", "/api/tracking/cookies", "POST"],
    ["GET", "/telegram/7", "POST"],
    ["GET", "/api/payments", "POST"],
    ["PUT", "/api/payments", "POST"],
    ["DELETE", "/api/payments/webhooks/generic", "POST"],
    ["DELETE", "/api/pools", "GET, HEAD, POST"],
    ["PUT", "/api/pools/summer", "GET, HEAD, PATCH, DELETE"],
    ["POST", "/healthz", "GET, HEAD"],
    ["OPTIONS", "/ops/login", "GET, HEAD, POST"],
  ])("%s %s is told which ones it does", async (method, path, allowed) => {
    const bad = { headers: { "content-type": "application/json" }, body: "{bad" };
    const answer = await own.request(path, { method, ...(method !== "GET" && bad) });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, allowed]);
    expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f]{32}$/);
    expect(await answer.json()).toMatchObject({
      status: 405,
      detail: `This address takes ${allowed} only.`,
      request_id: answer.headers.get("x-request-id"),
    });
  });

  test("is not found where the address itself is none", async () => {
    for (const path of ["/nothing", "/api/nothing", "/ops/nothing", "/go/summer/nothing"])
      expect((await own.request(path, { method: "POST" })).status).toBe(404);
  });
});

test("no route takes a body without end: the server itself lets in longer ones than any of them", async () => {
  const headers = { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" };
  const body = JSON.stringify("x".repeat(LARGEST_BODY_BYTES));
  const answers = own.app.routes
    .filter(({ method }) => method !== "GET" && method !== "ALL")
    .map(async ({ method, path }) => {
      const address = path.replace(":provider", "generic").replace(/:\w+/, "1");
      const { status } = await own.request(address, { method, headers, body });
      return [method, path, status];
    });
  const taken = (await Promise.all(answers)).filter(([, , status]) => status !== 413);
  // A bot that nobody has is not found before its update is read.
  expect(taken).toEqual([["POST", "/telegram/:botId", 404]]);
});
