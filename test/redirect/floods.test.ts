import { afterAll, beforeAll, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { createTestApp, type TestApp } from "../support/app.ts";
import { addPool } from "../support/pools.ts";

let own: TestApp;
let port: number;
beforeAll(async () => {
  own = await createTestApp({
    RATE_LIMIT_PER_HOUR: "0",
    GENERIC_WEBHOOK_SECRET: "a-secret-of-the-test-0123456789",
  });
  await addPool(own.db, { slug: "open" });
  await own.deps.pools.refresh();
  port = Number(new URL(own.listen()).port);
});
afterAll(() => own.dispose());

/** Sends bytes as they are; resolves to the answer's status line. */
async function statusLine(request: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_, bytes) => resolve(bytes.toString().split("\r\n")[0] ?? ""),
      close: () => resolve("closed"),
    },
  });
  socket.write(request);
  socket.flush();
  const line = await promise;
  socket.end();
  return line;
}

const get = (path: string, headers = "") => `GET ${path} HTTP/1.1\r\nHost: a.example.com\r\n${headers}\r\n`;

test.each([
  ["a query of 20 kB", get(`/go/open?fbclid=${"x".repeat(20_000)}`)],
  ["a header of 20 kB", get("/go/open", `X-A: ${"x".repeat(20_000)}\r\n`)],
  [
    "a thousand headers",
    get("/go/open", Array.from({ length: 1_000 }, (_, i) => `X-${i}: some value\r\n`).join("")),
  ],
])("%s is refused with 431, and the next visitor is served", async (_, request) => {
  const before = await own.db.$count(own.db.tables.sessions);
  expect(await statusLine(request)).toStartWith("HTTP/1.1 431");
  expect(await own.db.$count(own.db.tables.sessions)).toBe(before);
  expect(await statusLine(get("/go/open"))).toStartWith("HTTP/1.1 200");
});

test("a query of 10 kB is a visit, with its click id whole", async () => {
  expect(await statusLine(get(`/go/open?pad=${"y".repeat(10_000)}&fbclid=Whole`))).toStartWith(
    "HTTP/1.1 200",
  );
  const { sessions } = own.db.tables;
  expect(await own.db.$count(sessions, eq(sessions.fbclid, "Whole"))).toBe(1);
});

test.each([
  ["without a Host, as HTTP/1.0 has it", "GET /go/open HTTP/1.0\r\n\r\n"],
  ["with rubbish for a Host", "GET /go/open HTTP/1.1\r\nHost: <b>/?#\r\n\r\n"],
])("a request %s is a page or a clear 4xx, and no half address is stored", async (_, request) => {
  expect(await statusLine(request)).toMatch(/^HTTP\/1\.[01] (200|4\d\d)/);
  for (const { eventSourceUrl } of await own.db.select().from(own.db.tables.sessions)) {
    expect(eventSourceUrl).toMatch(/^https?:\/\/[a-z]/);
  }
});

test.each([
  ["GET", "/ops/visitors?q=ana%40example.com"],
  ["GET", "/ops/login?next=%2Fops%2Fkeys"],
  ["GET", "/ops/outbox?status=dead"],
  ["POST", "/ops/login"],
  ["POST", "/api/payments/webhooks/generic"],
])("%s %s without a usable Host is answered as any other", async (method, path) => {
  for (const host of ["HTTP/1.0", "HTTP/1.1\r\nHost: a b", "HTTP/1.1\r\nHost: [::"]) {
    const request = `${method} ${path} ${host}\r\nOrigin: http://b.example\r\nContent-Length: 0\r\n\r\n`;
    expect(await statusLine(request)).toMatch(/^HTTP\/1\.1 (200|303|4\d\d)/);
  }
});

test.each([
  ["without a Host", "400", "GET /any-path-of-some-length/ops/login HTTP/1.0\r\n\r\n"],
  ["without a Host, twice the same", "400", "GET /ops/a-path-of-some-length/ops HTTP/1.0\r\n\r\n"],
  ["with an empty Host", "400", "GET /any-path-of-some-length/healthz HTTP/1.1\r\nHost:\r\n\r\n"],
  ["with a short Host", "404", "GET /x/healthz HTTP/1.1\r\nHost: web\r\n\r\n"],
  ["without a Host, and a short path", "200", "GET /healthz?q=/any/path HTTP/1.0\r\n\r\n"],
])("a request %s is never taken for its path's tail", async (_, status, request) => {
  expect(await statusLine(request)).toStartWith(`HTTP/1.1 ${status}`);
});
