import { afterAll, beforeAll, expect, test } from "bun:test";
import { createTestApp, type TestApp } from "../support/app.ts";

let own: TestApp;
beforeAll(async () => {
  own = await createTestApp({ API_KEY: "a-key-of-the-environment" });
});
afterAll(() => own.dispose());

test("/openapi is JSON for programs: every API route of the app, none of its pages", async () => {
  const answer = await own.request("/openapi");
  expect(answer.headers.get("content-type")).toContain("application/json");
  const { openapi, paths } = await answer.json();
  expect(openapi).toStartWith("3.");
  expect(Object.keys(paths)).toContainValues(["/api/pools", "/api/sessions/{token}", "/api/outbox/retry"]);
  expect(Object.keys(paths).filter((path) => /^\/(ops|go|assets|telegram|openapi)/.test(path))).toEqual([]);
});

test("/openapi is a page for people, with nothing from another host", async () => {
  const answer = await own.request("/openapi", { headers: { accept: "text/html" } });
  expect(answer.status).toBe(200);
  const page = await answer.text();
  expect(page).toContain("/api/outbox/retry");
  expect(page).not.toMatch(/(src|href)="https?:/);
});

test("the API stands in the app, behind its key", async () => {
  expect((await own.request("/api/pools")).status).toBe(401);
  const headers = { authorization: "Bearer a-key-of-the-environment" };
  expect((await own.request("/api/pools", { headers })).status).toBe(200);
});
