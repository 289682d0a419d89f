import { afterAll, beforeAll, expect, test } from "bun:test";
import { z } from "zod";
import { exampleOf, openapiDocument } from "../../src/api/openapi-document.ts";
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
  expect(Object.keys(paths)).toContainValues([
    "/api/pools",
    "/api/sessions/{token}",
    "/api/outbox/retry",
    "/api/tracking/cookies",
  ]);
  expect(Object.keys(paths).filter((path) => /^\/(ops|go|assets|telegram|openapi)/.test(path))).toEqual([]);
});

test("/openapi is a page for people, with nothing from another host", async () => {
  const answer = await own.request("/openapi", { headers: { accept: "text/html" } });
  expect(answer.status).toBe(200);
  const page = await answer.text();
  expect(page).toContain("/api/outbox/retry");
  expect(page).toContain("<code>ponte api-key add</code>");
  expect(page).not.toContain("`");
  expect(page).not.toMatch(/(src|href)="https?:/);
});

test("the API stands in the app, behind its key", async () => {
  expect((await own.request("/api/pools")).status).toBe(401);
  const headers = { authorization: "Bearer a-key-of-the-environment" };
  expect((await own.request("/api/pools", { headers })).status).toBe(200);
});

test.each(["/api/pools", "/ops/login"])(
  "too long a body at %s is refused with a request id",
  async (path) => {
    const answer = await own.request(path, { method: "POST", body: "x".repeat(300_000) });
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ request_id: answer.headers.get("x-request-id") ?? "none" });
  },
);

test("every operation says what it is for, what it takes and what it answers", async () => {
  const { paths } = openapiDocument.parse(await (await own.request("/openapi/json")).json());
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, method, operation })),
  );
  expect(operations.length).toBeGreaterThan(30);
  const silent = operations.filter(
    ({ operation }) => !operation.summary || Object.keys(operation.responses ?? {}).length === 0,
  );
  expect(silent.map(({ name }) => name)).toEqual([]);
  const bodiless = operations.filter(
    ({ method, operation }) =>
      (method === "post" || method === "patch") &&
      operation.requestBody?.content?.["application/json"]?.schema === undefined,
  );
  expect(bodiless.map(({ name }) => name)).toEqual(["post /api/bots/{username}/connect"]);
});

test("every reference in the document leads somewhere in it", async () => {
  const document = await (await own.request("/openapi/json")).json();
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"(#[^"]*)"/g)].map(([, to = ""]) => to);
  expect(references.length).toBeGreaterThan(30);
  const found = (to: string) => to.split("/").reduce((at, key) => (key === "#" ? at : at?.[key]), document);
  expect(references.filter((to) => found(to) === undefined)).toEqual([]);
});

test("every answer of the document has a body, but for those that have none", async () => {
  const { paths } = openapiDocument.parse(await (await own.request("/openapi/json")).json());
  const bodiless = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { responses = {} }]) =>
      Object.entries(responses).flatMap(([status, { content = {} }]) =>
        status === "204" || Object.values(content).some(({ schema }) => schema !== undefined)
          ? []
          : [`${status} of ${method} ${path}`],
      ),
    ),
  );
  expect(bodiless).toEqual([]);
});

test("/readyz answers as the document says", async () => {
  const document = await (await own.request("/openapi/json")).json();
  const answer = await own.request("/readyz");
  const shown = document.paths["/readyz"].get.responses[answer.status].content["application/json"].schema;
  z.fromJSONSchema(shown).parse(await answer.json());
});

test("what a key that may only read is refused, too large a body, and a database that is away stand where they happen", async () => {
  const { paths } = openapiDocument.parse(await (await own.request("/openapi/json")).json());
  const headers = { authorization: "Bearer a-key-of-the-environment" };
  const body = "x".repeat(300_000);
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { security = [], responses = {} }] of Object.entries(methods)) {
      if (security.length === 0) continue;
      const changes = method !== "get";
      // The link holds the gate's secret.
      const isForWriters = changes || path === "/api/pools/{slug}/link";
      const of = (status: string) => status in responses;
      const told = { method, path, 403: of("403"), 413: of("413"), 503: of("503") };
      expect(told).toEqual({ method, path, 403: isForWriters, 413: changes, 503: true });
      if (!changes) continue;
      const address = path.replace("{slug}", "no-such").replace(/\{[^}]+\}/, "1234567");
      const answer = await own.request(address, { method: method.toUpperCase(), headers, body });
      expect([method, path, answer.status]).toEqual([method, path, 413]);
    }
  }
});

test("every example is of the form that it is an example of", async () => {
  const withForm = z.looseObject({ pattern: z.string(), examples: z.array(z.string()) });
  const strays: string[] = [];
  let looked = 0;
  const look = (at: unknown): void => {
    if (typeof at !== "object" || at === null) return;
    Object.values(at).forEach(look);
    const { data } = withForm.safeParse(at);
    if (!data) return;
    looked++;
    const form = new RegExp(data.pattern, "u");
    strays.push(...data.examples.filter((example) => !form.test(example)));
  };
  look(await (await own.request("/openapi/json")).json());
  expect(strays).toEqual([]);
  expect(looked).toBeGreaterThan(20);
});

test("every example is written to its end: a list whose members are null is none of ours", async () => {
  const { paths, components } = openapiDocument.parse(await (await own.request("/openapi/json")).json());
  for (const [path, methods] of Object.entries(paths)) {
    for (const { responses = {} } of Object.values(methods)) {
      for (const { content } of Object.values(responses)) {
        const example = exampleOf(content?.["application/json"]?.schema, components.schemas ?? {});
        expect({ path, example: JSON.stringify(example) }).not.toMatchObject({
          example: expect.stringContaining("[null]"),
        });
      }
    }
  }
});

test("every example of a body that the document shows is understood", async () => {
  const { paths, components } = openapiDocument.parse(await (await own.request("/openapi/json")).json());
  const misunderstood: string[] = [];
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { requestBody }] of Object.entries(methods)) {
      const schema = requestBody?.content?.["application/json"]?.schema;
      // A webhook is signed by its provider.
      if (schema === undefined || path.includes("/webhooks/")) continue;
      const example = exampleOf(schema, components.schemas ?? {});
      const answer = await own.request(path.replace("{slug}", "no-such").replace(/\{[^}]+\}/, "1234567"), {
        method: method.toUpperCase(),
        headers: { authorization: "Bearer a-key-of-the-environment", "content-type": "application/json" },
        body: JSON.stringify(example),
      });
      if (answer.status === 400) misunderstood.push(`${method} ${path}: ${await answer.text()}`);
    }
  }
  expect(misunderstood).toEqual([]);
});

test.each([
  ["/openapi", "text/html"],
  ["/openapi", "application/json"],
  ["/openapi/json", "*/*"],
])("%s as %s is written once, not for everybody who asks", async (path, accept) => {
  const ask = async () => (await own.request(path, { headers: { accept } })).text();
  const json = await (await own.request("/openapi/json")).text();
  const first = await ask();
  const took = { answering: Number.POSITIVE_INFINITY, reading: Number.POSITIVE_INFINITY };
  const time = async (name: keyof typeof took, work: () => unknown) => {
    const startedMs = performance.now();
    await work();
    took[name] = Math.min(took[name], performance.now() - startedMs);
  };
  for (let i = 0; i < 30; i++) {
    await time("answering", async () => expect(await ask()).toBe(first));
    await time("reading", () => JSON.parse(json));
  }
  // The quickest of each, which no neighbour held up: it is written in no less time than it is read.
  expect(took.answering).toBeLessThan(took.reading);
});
