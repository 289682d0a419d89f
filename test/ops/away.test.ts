import { Database as SqliteClient } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Database } from "../../src/db/database.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { createTestDatabase, testDialect } from "../support/database.ts";
import { logIn, newBrowser, OPERATOR_PASSWORD } from "../support/operator.ts";
import { startSilentProxy } from "../support/silent-proxy.ts";

const API_KEY = "a-key-of-the-test-0123456789abcdef";
const bearer = { authorization: `Bearer ${API_KEY}` };

let own: TestApp;
let isAway = false;
let isReadOnly = false;
let isFull = false;
let nowMs = Date.now();
/** The database as the app sees it: whatever it is asked for fails while it is away. */
const failing = (db: Database): Database => ({
  ...db,
  get select() {
    if (isAway) throw new Error("connection refused");
    return db.select;
  },
  transaction: async (work) => {
    if (isAway) throw new Error("connection refused");
    if (isReadOnly) throw new Error("read-only");
    if (isFull) throw Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
    return db.transaction(work);
  },
});

beforeAll(async () => {
  own = await createTestApp({ API_KEY, OPERATOR_PASSWORD }, (deps) => ({
    ...deps,
    db: failing(deps.db),
    now: () => new Date(nowMs),
  }));
});
afterAll(() => own.dispose());

test("while the database is away the console says so, to whoever is logged in and to whoever wants to be", async () => {
  const operator = await logIn(own);
  isAway = true;
  const page = await operator.get("/ops");
  expect([page.status, page.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await page.text()).toContain("Visitors are served all the same");

  const stranger = newBrowser(own);
  for (const browser of [stranger, operator]) expect((await browser.get("/ops/login")).status).toBe(200);
  for (const password of [OPERATOR_PASSWORD, "a guess"]) {
    const answer = await stranger.post("/ops/login", { password });
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain("The database cannot be used at this moment");
  }

  isAway = false;
  expect((await operator.get("/ops")).status).toBe(200);
});

test("a database that takes no writes can be looked at, hours after the session was last noted", async () => {
  const operator = await logIn(own);
  nowMs += 2 * 3_600_000;
  isReadOnly = true;
  expect((await operator.get("/ops")).status).toBe(200);
  isReadOnly = false;
  expect(own.logLines.map(({ msg }) => msg)).toContain("the use of a console session could not be noted");
});

test("on a full disk the API asks to come again and says what to do, and so does the console's page", async () => {
  const operator = await logIn(own);
  isFull = true;
  const init = { method: "POST", headers: { ...bearer, "content-type": "application/json" } };
  const answer = await own.request("/api/bots", { ...init, body: '{"username":"shop_bot"}' });
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await answer.text()).toContain("until you make room on the database's disk.");
  const page = await operator.post("/ops/keys", { name: "shop", scope: "read", form_id: "a".repeat(32) });
  expect(await page.text()).toContain("make room on the database");
  isFull = false;
});

/** What the API says, and whether the log has it. */
async function refused(app: TestApp, method: string, path: string, body?: unknown) {
  const headers = { ...bearer, "content-type": "application/json" };
  const answer = await app.request(path, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const logged = app.logLines.findLast(({ msg }) => msg === "a request failed");
  expect(logged?.request_id).toBe(answer.headers.get("x-request-id"));
  return [answer.status, answer.headers.get("retry-after")];
}

describe.if(testDialect === "postgres")("a Postgres that is gone", () => {
  test("is told of as something that passes, on the API and in the console", async () => {
    const database = await createTestDatabase();
    const url = new URL(database.url);
    const proxy = await startSilentProxy({ hostname: url.hostname, port: Number(url.port) });
    url.port = String(proxy.port);
    const app = await createTestApp({ DATABASE_URL: url.href, API_KEY, OPERATOR_PASSWORD });
    try {
      const operator = await logIn(app);
      proxy.stop();
      for (const path of ["/api/pools", "/api/outbox", "/api/overview", `/api/sessions/${"a".repeat(32)}`])
        expect([path, ...(await refused(app, "GET", path))]).toEqual([path, 503, "5"]);
      expect(await refused(app, "POST", "/api/outbox/retry", { ids: [1] })).toEqual([503, "5"]);
      const page = await operator.get("/ops/audit");
      expect([page.status, page.headers.get("retry-after")]).toEqual([503, "5"]);
    } finally {
      await app.dispose();
      await database.dispose();
    }
  }, 60_000);
});

describe.if(testDialect === "sqlite")("a SQLite file that somebody else keeps locked", () => {
  test("is told of as something that passes, on the API and in the console", async () => {
    const database = await createTestDatabase();
    // Two processes: in one of them the second who writes would wait behind the first.
    const open = () => createTestApp({ DATABASE_URL: database.url, API_KEY, OPERATOR_PASSWORD });
    const [api, console] = [await open(), await open()];
    const other = new SqliteClient(database.url);
    try {
      const operator = await logIn(console);
      other.run("begin immediate");
      const [retry, page] = await Promise.all([
        refused(api, "POST", "/api/outbox/retry", { ids: [1] }),
        operator.post("/ops/keys", { name: "shop", scope: "read", form_id: "a".repeat(32) }),
      ]);
      expect(retry).toEqual([503, "5"]);
      expect([page.status, page.headers.get("retry-after")]).toEqual([503, "5"]);
    } finally {
      other.close();
      await api.dispose();
      await console.dispose();
      await database.dispose();
    }
  }, 60_000);
});
