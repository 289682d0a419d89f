import { afterEach, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { Elysia } from "elysia";
import { ensureOperatorPassword } from "../src/ops/auth/password.ts";
import { openSession } from "../src/ops/auth/session.ts";
import { LARGEST_BODY_BYTES, readBody } from "../src/platform/body.ts";
import { createLog } from "../src/platform/log.ts";
import { listen } from "../src/serve.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "./support/database.ts";
import { startServer } from "./support/server.ts";
import { until } from "./support/until.ts";

describe("the door to the network", () => {
  let app: { stop(closeActiveConnections: boolean): unknown };
  let second: typeof app | undefined;
  afterEach(async () => {
    await app.stop(true);
    await second?.stop(true);
    second = undefined;
  });

  test("answers with a problem where no handler could, and shows nobody how the program looks inside", async () => {
    const lines: string[] = [];
    const log = createLog("info", { write: (line) => void lines.push(line) });
    const broken = new Elysia()
      .onError(async ({ request }) => new URL(new URL(request.url).search).href)
      .get("/broken", () => Promise.reject(new Error("the first fault")));
    app = broken;
    await listen(broken, { host: "127.0.0.1", port: 0, role: "all" }, log);
    const answer = await fetch(`http://127.0.0.1:${broken.server?.port}/broken?who=ana@example.com`);
    expect(answer.status).toBe(500);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.text()).not.toMatch(/URL|serve\.test/);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("a request failed, and its answer too");
    expect(lines[0]).not.toContain("ana@");
  });

  test("leaves it to the routes to refuse a long body, which say how long one may be", async () => {
    const taking = new Elysia().post(
      "/",
      async ({ request }) => {
        const body = await readBody(request, LARGEST_BODY_BYTES);
        return body.kind === "read" ? body.text.length.toString() : body.response();
      },
      { parse: "none" },
    );
    app = taking;
    await listen(taking, { host: "127.0.0.1", port: 0, role: "all" }, createLog("silent"));
    const url = `http://127.0.0.1:${taking.server?.port}`;
    const send = (length: number) => fetch(url, { method: "POST", body: "x".repeat(length) });
    expect(await (await send(LARGEST_BODY_BYTES)).text()).toBe(String(LARGEST_BODY_BYTES));
    const refused = await send(3_000_000);
    expect(refused.status).toBe(413);
    expect(refused.headers.get("content-type")).toBe("application/problem+json");
    expect(await refused.json()).toMatchObject({ detail: "The body may have at most 262144 bytes." });
  });

  test("opens beside another process' door, and says that both get visitors", async () => {
    const lines: string[] = [];
    const log = createLog("info", { write: (line) => void lines.push(line) });
    const [first, beside] = [new Elysia(), new Elysia()];
    app = first;
    await listen(first, { host: "127.0.0.1", port: 0, role: "all" }, log);
    expect(lines).toEqual([]);
    second = beside;
    const port = Number(first.server?.port);
    await listen(beside, { host: "127.0.0.1", port, role: "web" }, log);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("each gets a part of the visitors");
  });

  test("of a dispatcher is its own: beside it no other opens, for it would turn visitors away", async () => {
    const log = createLog("silent");
    const [first, beside] = [new Elysia(), new Elysia()];
    app = first;
    await listen(first, { host: "127.0.0.1", port: 0, role: "dispatcher" }, log);
    const port = Number(first.server?.port);
    const opening = listen(beside, { host: "127.0.0.1", port, role: "web" }, log);
    await expect(opening).rejects.toThrow(`PORT: ${port} is taken on 127.0.0.1`);
  });

  test.each(["web", "dispatcher"] as const)(
    "of %s leaves a dispatcher on that port without one",
    async (role) => {
      const lines: string[] = [];
      const log = createLog("info", { write: (line) => void lines.push(line) });
      const [first, beside] = [new Elysia(), new Elysia()];
      app = first;
      await listen(first, { host: "127.0.0.1", port: 0, role }, log);
      const port = Number(first.server?.port);
      await listen(beside, { host: "127.0.0.1", port, role: "dispatcher" }, log);
      expect(beside.server).toBeNull();
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain("works without health checks and metrics");
    },
  );
});

describe(`the console's password, on ${testDialect}, where the database cannot be read at the start`, () => {
  const rename = ({ db }: TestDatabase, from: string, to: string) =>
    db.transaction((tx) => tx.rows(sql.raw(`alter table ${from} rename to ${to}`)));

  /** A server that finds no settings, until it has said so. */
  async function startWithout(own: TestDatabase, environment: Readonly<Record<string, string>>) {
    const lines: string[] = [];
    const onLogLine = (line: string) => void lines.push(line);
    await rename(own, "settings", "settings_away");
    const server = await startServer(own.url, { LOG_LEVEL: "warn", ...environment }, { onLogLine });
    const isSaid = (words: string) => lines.some((line) => line.includes(words));
    await until(() => isSaid("the console's password could not be read or made"));
    await rename(own, "settings_away", "settings");
    return { server, isSaid };
  }

  test("is made and shown once it can be", async () => {
    const own = await createTestDatabase();
    const { server, isSaid } = await startWithout(own, {});
    await until(() => isSaid("The console's password, shown this once: "));
    expect(await server.stop()).toBe(0);
    await own.dispose();
  }, 60_000);

  test("ends every session, where it was changed, once it can be", async () => {
    const own = await createTestDatabase();
    const { db } = own;
    await ensureOperatorPassword(db, { operatorPassword: "the one before" });
    await db.transaction((tx) => openSession(tx, db.tables, new Date()));
    const { server } = await startWithout(own, { OPERATOR_PASSWORD: "another one" });
    await until(async () => (await db.$count(db.tables.operatorSessions)) === 0);
    expect(await server.stop()).toBe(0);
    await own.dispose();
  }, 60_000);
});
