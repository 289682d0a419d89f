import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { getTableName } from "drizzle-orm";
import postgres, { type Sql } from "postgres";
import { checkTables } from "../../src/cli/doctor/check-tables.ts";
import type { Database } from "../../src/db/database.ts";
import { tablesOf } from "../../src/db/define-schema.ts";
import { adviceOn } from "../../src/db/fault.ts";
import { OPERATOR_VIEWS } from "../../src/db/migration-plan.ts";
import { openDatabase } from "../../src/db/open.ts";
import * as tables from "../../src/db/postgres/tables.ts";
import { newId } from "../../src/platform/ids.ts";
import { createRetention } from "../../src/retention/retention.ts";
import { createRollups } from "../../src/rollups/rollups.ts";
import { type RunningSandbox, startSandbox } from "../../src/sandbox/app.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { createPostgresDatabase, testDialect } from "../support/database.ts";
import { logIn, OPERATOR_PASSWORD } from "../support/operator.ts";
import { addRows, addSendingPool, testDispatcher } from "../support/outbox.ts";
import { runProgram } from "../support/run-program.ts";
import { seedVisitor } from "../support/seed-visitor.ts";
import { tellEverything } from "./webhooks-with-rights.ts";

const API_KEY = "a-key-of-the-limited-app-0123456789";
const ROOT = join(import.meta.dir, "../..");

/** Runs a script as people do. */
function script(name: string, args: readonly string[], input = "") {
  return runProgram(["bash", `scripts/${name}`, ...args], { input });
}

const CREATE = "create_meta_tracking_sessions.sh";
const GRANT = "grant_meta_tracking_sessions.sh";

describe("the scripts for a managed Postgres", () => {
  test.each([CREATE, GRANT])(
    "%s explains itself, and says what is wrong with its arguments",
    async (name) => {
      const help = await script(name, ["--help"]);
      expect(help).toMatchObject({ code: 0, err: "", out: expect.stringContaining(`scripts/${name}`) });
      expect(await script(name, [])).toMatchObject({
        code: 2,
        out: "",
        err: expect.stringContaining("Usage:"),
      });
      const sqlite = await script(name, name === CREATE ? ["data/ponte.db"] : ["data/ponte.db", "app"]);
      expect(sqlite).toMatchObject({ code: 2, err: expect.stringContaining("postgres://") });
    },
  );

  test.each(["postgres://nobody@127.0.0.1:1/shop", "postgres://nobody@/shop?host=/nonexistent"])(
    "--print shows the statements and needs no server: %s",
    async (url) => {
      const { out, code } = await script(GRANT, ["--print", url, 'we"ird']);
      expect(code).toBe(0);
      expect(out).toContain('GRANT CONNECT ON DATABASE "shop" TO "we""ird";');
      expect(out).toContain('GRANT SELECT, INSERT, UPDATE, DELETE ON meta_tracking_sessions TO "we""ird";');
      // Asked for by servers that let not everybody into the schema, and by tables that a tool restored.
      expect(out).toContain('GRANT USAGE ON SCHEMA public TO "we""ird";');
      expect(out).toContain('GRANT USAGE ON SEQUENCE outbox_events_id_seq TO "we""ird";');
      expect(out).not.toMatch(/\b(ALL|CREATE|TRUNCATE|REFERENCES|TRIGGER)\b/);
    },
  );

  test.each([
    ["create_meta_tracking_sessions.sh", ["postgres://app:hunter2@127.0.0.1:1/shop"]],
    ["grant_meta_tracking_sessions.sh", ["postgres://app:hunter2@127.0.0.1:1/shop", "app"]],
  ])("%s says that the server is away, and no password", async (name, args) => {
    const { code, out, err } = await script(name, args);
    expect(code).toBe(1);
    expect(err).toContain("cannot be reached");
    expect(err).not.toContain("GRANT");
    expect(out + err).not.toContain("hunter2");
  });

  test.each([CREATE, GRANT])("%s says how a password in a URL is written", async (name) => {
    const url = "postgres://app:hun#ter2@127.0.0.1:1/shop";
    const { code, err } = await script(name, name === CREATE ? [url] : [url, "app"]);
    expect(code).toBe(1);
    expect(err).toContain("in a password write # as %23");
    expect(err).not.toContain("ter2");
  });

  test("every view of drizzle/views is known by its name", () => {
    for (const dialect of ["sqlite", "postgres"]) {
      const made = readFileSync(join(ROOT, "drizzle/views", `${dialect}.sql`), "utf8");
      const names = [...made.matchAll(/^create (?:or replace )?view (\w+)/gm)].map((found) => found[1] ?? "");
      expect(names).toEqual([...OPERATOR_VIEWS]);
    }
  });
});

describe("advice on a failure of the database", () => {
  const advice = (code: string, message: string) =>
    adviceOn(new Error("Failed query", { cause: Object.assign(new Error(message), { code }) }), {
      user: "shop_app",
      tables,
    });

  test("a missing right is named with the statement that grants it, whatever the server's language", () => {
    for (const message of [
      "permission denied for table meta_tracking_sessions",
      "permissão negada para tabela meta_tracking_sessions",
      'доступ к таблице "meta_tracking_sessions" запрещён',
    ]) {
      expect(advice("42501", message)).toContain(
        'GRANT SELECT, INSERT, UPDATE, DELETE ON meta_tracking_sessions TO "shop_app";',
      );
    }
    expect(advice("42501", "permission denied for view outbox_status")).toContain(
      'GRANT SELECT ON outbox_status TO "shop_app";',
    );
    expect(advice("42501", "permission denied for schema public")).toBe(
      "run: scripts/grant_meta_tracking_sessions.sh <privileged postgres url> shop_app",
    );
  });

  test("a missing table, a read-only server and a full disk each have their own; anything else has none", () => {
    expect(advice("42P01", 'relation "outbox" does not exist')).toContain("ponte migrate");
    expect(advice("SQLITE_ERROR", "no such table: outbox")).toContain("ponte migrate");
    expect(advice("25006", "cannot execute INSERT in a read-only transaction")).toContain("replica");
    expect(advice("SQLITE_FULL", "database or disk is full")).toContain("room");
    expect(advice("23505", "duplicate key")).toBeUndefined();
    expect(adviceOn("not an error", { user: "a", tables })).toBeUndefined();
  });
});

describe.if(testDialect === "postgres")("a Postgres whose app user may run no DDL", () => {
  const role = `ponte_app_${newId()}`;
  const PIXEL = "7770001112223334";
  let database: Awaited<ReturnType<typeof createPostgresDatabase>>;
  let owner: Sql;
  let limited: Sql;
  let ownerDb: Database;
  let sandbox: RunningSandbox;
  let limitedUrl: string;
  let app: TestApp | undefined;

  beforeAll(async () => {
    database = await createPostgresDatabase(process.env.TEST_DATABASE_URL ?? "");
    owner = postgres(database.url, { max: 1, onnotice: () => undefined });
    await owner.unsafe(`create role ${role} login password 'geheim-5150'`);
    // As Postgres has had it since 15, on older servers too.
    await owner.unsafe("revoke create on schema public from public");
    const url = new URL(database.url);
    url.username = role;
    url.password = "geheim-5150";
    limitedUrl = url.href;
    limited = postgres(limitedUrl, { max: 1, onnotice: () => undefined });
    ownerDb = await openDatabase({ url: database.url });
    sandbox = await startSandbox();
  });
  afterAll(async () => {
    await app?.dispose();
    await limited.end();
    await ownerDb.close();
    await sandbox.stop();
    await owner.unsafe(`drop owned by ${role}`);
    await owner.unsafe(`drop role ${role}`);
    await owner.end();
    await database.remove();
  });

  const todos = () => app?.logLines.flatMap(({ todo }) => (typeof todo === "string" ? [todo] : [])) ?? [];

  test("grant asks for the tables first, and for a user that exists", async () => {
    expect(await script(GRANT, [database.url, role])).toMatchObject({
      code: 1,
      err: expect.stringContaining(CREATE),
    });
    expect(await script(GRANT, [database.url, "nobody_at_all"])).toMatchObject({
      code: 1,
      err: expect.stringContaining('CREATE ROLE "nobody_at_all"'),
    });
  });

  test("create refuses a user that may not make tables, and makes everything for one that may, again and again", async () => {
    const refused = await script(CREATE, [limitedUrl]);
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("GRANT CREATE") });
    expect(refused.out + refused.err).not.toContain("geheim-5150");
    expect((await script(CREATE, ["-"], `${database.url}\n`)).code).toBe(0);
    expect((await script(CREATE, [database.url])).code).toBe(0);
    expect(await ownerDb.$count(ownerDb.tables.sessions)).toBe(0);
  });

  test("create makes everything with the rights that it asked for when it was refused", async () => {
    const maker = `ponte_maker_${newId()}`;
    const fresh = await createPostgresDatabase(process.env.TEST_DATABASE_URL ?? "");
    const admin = postgres(fresh.url, { max: 1, onnotice: () => undefined });
    const url = Object.assign(new URL(fresh.url), { username: maker, password: "geheim-5150" }).href;
    try {
      await admin.unsafe(`create role ${maker} login password 'geheim-5150'`);
      await admin.unsafe("revoke create on schema public from public");
      const refused = await script(CREATE, [url]);
      const asked = /GRANT CREATE.*;/.exec(refused.err)?.[0] ?? "";
      await admin.unsafe(asked.replace("<that user>", maker));
      expect(await script(CREATE, [url])).toMatchObject({ code: 0, err: expect.not.stringContaining("✗") });
    } finally {
      await admin.unsafe(`drop owned by ${maker}; drop role ${maker}`);
      await admin.end();
      await fresh.remove();
    }
  });

  test("without any right the visitor is asked to come again, and the log says what to run", async () => {
    await addSendingPool(ownerDb, "open", PIXEL);
    app = await createTestApp({ DATABASE_URL: limitedUrl });
    const response = await app.request("/go/open");
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBeTruthy();
    expect(todos()).toContainEqual(expect.stringContaining(`GRANT SELECT ON ponte_migrations TO "${role}";`));
    expect(todos()).toContainEqual(
      expect.stringContaining(`scripts/grant_meta_tracking_sessions.sh <privileged postgres url> ${role}`),
    );
    await app.dispose();
    app = undefined;
  });

  test("without rights on the sessions the visitor is served, the visit kept on disk, and the statement named", async () => {
    for (const table of ["pools", "bots", "pool_bots"]) {
      await owner.unsafe(`grant select on ${table} to ${role}`);
    }
    app = await createTestApp({ DATABASE_URL: limitedUrl });
    const response = await app.request("/go/open?fbclid=IwAR0abc");
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("https://t.me/open_bot?start=");
    expect(app.deps.spool.counts()).toEqual({ waiting: 1, setAside: 0 });
    expect(todos()).toContainEqual(
      expect.stringContaining(`GRANT SELECT, INSERT, UPDATE, DELETE ON meta_tracking_sessions TO "${role}";`),
    );
  });

  test("what a sender can send again is refused with Retry-After meanwhile", async () => {
    const cookies = await app?.request("/api/tracking/cookies", {
      method: "POST",
      body: JSON.stringify({ tracking_token: newId(), _fbp: "fb.1.1700000000000.123456" }),
    });
    expect(cookies?.status).toBe(503);
    expect(cookies?.headers.get("retry-after")).toBeTruthy();
  });

  test("the grant lets it all through while the app runs: the visit, its PageView, and whatever comes next", async () => {
    // What an earlier version granted.
    await owner.unsafe(`grant update, delete on audit_log to ${role}`);
    for (let again = 0; again < 2; again++) {
      const granted = await script(GRANT, [database.url, role]);
      expect(granted).toMatchObject({ code: 0, err: "" });
    }
    // The app tries by itself every now and then, and may have been first; that the visit arrived is seen below.
    await app?.deps.recorder.replay();
    expect(app?.deps.spool.counts()).toEqual({ waiting: 0, setAside: 0 });
    expect((await app?.request("/go/open?fbclid=IwAR0def"))?.status).toBe(200);
    expect(app?.deps.spool.counts().waiting).toBe(0);
    const db = app?.db ?? ownerDb;
    const dispatcher = testDispatcher(db, sandbox.url);
    await dispatcher.drain();
    await dispatcher.stop();
    expect(sandbox.events.list().map(({ event }) => event.event_name)).toEqual(["PageView", "PageView"]);
    const [session] = await db.select().from(db.tables.sessions).limit(1);
    const beacon = JSON.stringify({
      tracking_token: session?.trackingToken,
      _fbp: "fb.1.1700000000000.123456",
    });
    const cookies = await app?.request("/api/tracking/cookies", { method: "POST", body: beacon });
    expect(cookies?.status).toBe(204);
  });

  test("exactly the tables, the views to be read, and no DDL", async () => {
    await owner.unsafe("create table somebody_elses (id int)");
    for (const statement of [
      "create table mine (id int)",
      "create index mine on outbox (event_name)",
      "alter table outbox add column mine int",
      "drop view outbox_status",
      "truncate outbox_attempts",
      "delete from audit_log",
      "update audit_log set actor = 'nobody'",
      "select * from somebody_elses",
      "insert into ponte_migrations (hash, created_at) values ('x', 1)",
    ]) {
      await expect(limited.unsafe(statement)).rejects.toMatchObject({ code: "42501" });
    }
    for (const view of OPERATOR_VIEWS) await limited.unsafe(`select * from ${view}`);
    const granted = await owner<{ name: string; right: string }[]>`
      select table_name as name, privilege_type as "right" from information_schema.role_table_grants
      where grantee = ${role} and privilege_type <> 'SELECT' order by 1, 2`;
    const expected = tablesOf(tables)
      .map((table) => getTableName(table))
      .sort()
      // Nobody who gets hold of the app takes his traces away.
      .flatMap((name) =>
        (name === "audit_log" ? ["INSERT"] : ["DELETE", "INSERT", "UPDATE"]).map((right) => ({
          name,
          right,
        })),
      );
    expect([...granted]).toEqual(expected);
  });

  test("the rest of the app runs with these rights: console, API, payments, counting, retention, erasure, doctor", async () => {
    const settings = { OPERATOR_PASSWORD, API_KEY, PUBLIC_URL: "http://bridge.example.com" };
    const whole = await createTestApp({ DATABASE_URL: limitedUrl, ...settings });
    try {
      const { token, paymentId } = await seedVisitor(whole.db);
      const [dead = 0] = await addRows(whole.db, 1, { status: "dead" });
      await createRollups({ db: whole.db, log: whole.deps.log }).run();
      const operator = await logIn(whole);
      const pages = [
        "",
        "/outbox",
        `/outbox/${dead}`,
        "/visitors",
        `/visitors/${token}`,
        "/pools",
        "/pools/1",
      ];
      for (const page of [...pages, "/audit"])
        expect([page, (await operator.get(`/ops${page}`)).status]).toEqual([page, 200]);
      const retried = await operator.post("/ops/outbox/replay", { action: "retry", id: String(dead) });
      expect(retried.status).toBe(303);
      const call = (path: string, body?: object) =>
        whole.request(path, {
          headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" },
          ...(body && { method: "POST", body: JSON.stringify(body) }),
        });
      const lists = ["pools", "bots", "outbox", "outbox/status", "keys", "audit", "gate/refusals"];
      for (const path of [...lists, `payments/${paymentId}`])
        expect([path, (await call(`/api/${path}`)).status]).toEqual([path, 200]);
      expect((await call("/api/keys", { name: "limited", scope: "read" })).status).toBe(201);
      const payment = { provider: "telegram", provider_ref: newId(), amount_minor: 990, currency: "BRL" };
      expect((await call("/api/payments", payment)).status).toBeLessThan(300);
      await createRetention({ db: whole.db, log: whole.deps.log, days: 30, pauseMs: 0 }).run();
      expect((await call("/api/privacy/erasures", { payment_id: paymentId })).status).toBe(200);
      expect((await checkTables(whole.db, role)).filter(({ level }) => level === "bad")).toEqual([]);
      expect(whole.logLines.filter(({ todo }) => todo !== undefined)).toEqual([]);
    } finally {
      await whole.dispose();
    }
  }, 60_000);

  test("what Telegram and a payment provider tell is taken with these rights, and goes on to Meta", async () => {
    // The pool and the bots of this test have the names that those before had.
    await owner.unsafe(
      "truncate payments, funnel_states, outbox_events, outbox_progress, pool_bots, pools, bots cascade",
    );
    const told = await tellEverything(limitedUrl);
    expect(told.answers.filter(([, status]) => status !== 200)).toEqual([]);
    expect(told.answers.length).toBe(11);
    expect(told.todos).toEqual([]);
    expect(told.payments).toEqual(["BRL chargeback", "XTR refunded"]);
    expect(told.telegram).toEqual(["sendMessage", "sendMessage", "sendInvoice", "sendMessage"]);
    expect(told.meta).toEqual(["PageView", "Purchase", "Purchase"]);
    for (const state of ["started", "offer_viewed", "paid", "delivered", "refunded", "blocked"])
      expect(told.states).toContain(state);
  }, 60_000);

  test("views made anew by an upgrade can still be read, by everybody where everybody could", async () => {
    await owner.unsafe("grant select on outbox_dead to public");
    await owner.unsafe("delete from settings where key = 'views_digest'");
    expect((await script(CREATE, [database.url])).code).toBe(0);
    for (const view of OPERATOR_VIEWS) await limited.unsafe(`select * from ${view}`);
    const open = await owner`
      select table_name, privilege_type from information_schema.role_table_grants where grantee = 'PUBLIC' and table_schema = 'public'`;
    expect([...open]).toEqual([{ table_name: "outbox_dead", privilege_type: "SELECT" }]);
  });

  test("a grantor that owns nothing is told so", async () => {
    const newcomer = `ponte_new_${newId()}`;
    await owner.unsafe(`create role ${newcomer}`);
    try {
      expect(await script(GRANT, [limitedUrl, newcomer])).toMatchObject({
        code: 1,
        err: expect.stringContaining("Use the URL of the user that owns the tables"),
      });
      // Who may not even read them is refused by Postgres, where it only warns the other.
      await owner.unsafe(`alter role ${newcomer} login password 'geheim-5150'`);
      const url = Object.assign(new URL(limitedUrl), { username: newcomer }).href;
      expect(await script(GRANT, [url, newcomer])).toMatchObject({
        code: 1,
        err: expect.stringContaining("Use the URL of the user that owns the tables"),
      });
    } finally {
      await owner.unsafe(`drop role ${newcomer}`);
    }
  });
});
