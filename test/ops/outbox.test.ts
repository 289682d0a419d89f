import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import fc from "fast-check";
import type { OutboxStatus } from "../../src/db/vocabulary.ts";
import { createReplayJobs } from "../../src/ops/outbox/replay-jobs.ts";
import { changeRoute, pauseRoute } from "../../src/outbox/change-route.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { testDialect } from "../support/database.ts";
import { heldDatabase } from "../support/held-database.ts";
import { errorsIn, formIn } from "../support/html.ts";
import { logIn, OPERATOR_PASSWORD, type TestOperator } from "../support/operator.ts";
import { addRows } from "../support/outbox.ts";
import { addPool } from "../support/pools.ts";
import { until } from "../support/until.ts";

const EVIL = "</pre><script>alert(1)</script>";

let own: TestApp;
let operator: TestOperator;
beforeAll(async () => {
  own = await createTestApp({ OPERATOR_PASSWORD, PUBLIC_URL: "http://bridge.example.com" });
  operator = await logIn(own);
});
afterAll(() => own.dispose());

const see = (path: string) => operator.see(path);

const idsIn = (html: string) =>
  [...html.matchAll(/href="\/ops\/outbox\/(\d+)"/g)].map(([, id]) => Number(id));

/** Where the link with these words leads. */
function linkIn(html: string, words: string): string {
  const found = [...html.matchAll(/<a [^>]*href="([^"]+)"[^>]*>\s*([^<]*?)\s*<\/a>/g)];
  const [, href = ""] = found.find(([, , text]) => text === words) ?? [];
  return href.replaceAll("&amp;", "&");
}

const seeUntil = (path: string, words: string) => until(async () => (await see(path)).includes(words), 5);

async function statusesOf(ids: readonly number[]): Promise<OutboxStatus[]> {
  const { outbox } = own.db.tables;
  const rows = await Promise.all(
    ids.map((id) => own.db.select({ status: outbox.status }).from(outbox).where(eq(outbox.id, id))),
  );
  return rows.flat().map(({ status }) => status);
}

describe(`the console's outbox on ${testDialect}`, () => {
  test("the filter finds its events and no others, page by page, newest first", async () => {
    const route = "filtered";
    const dead = await addRows(own.db, 120, {
      route,
      status: "dead",
      eventName: "Lead",
      lastError: "Odd_100%",
    });
    await addRows(own.db, 3, { route, status: "dead", eventName: "Purchase", lastError: "Odd one" });
    await addRows(own.db, 3, { route, status: "delivered", eventName: "Lead" });
    const listed: number[] = [];
    let path: string | undefined = "/ops/outbox?status=dead&event=Lead&text=d_100%25";
    while (path !== undefined) {
      const html: string = await see(path);
      listed.push(...idsIn(html));
      path = /href="([^"]+)" rel="next"/.exec(html)?.[1]?.replaceAll("&amp;", "&");
    }
    expect(listed).toEqual(dead.toSorted((a, b) => b - a));
  });

  test("the times are those of the operator's clock", async () => {
    const [id = 0] = await addRows(own.db, 1, {
      eventName: "Timed",
      createdAt: new Date("2025-03-01T12:30:00Z"),
    });
    // São Paulo is three hours behind UTC.
    expect(idsIn(await see("/ops/outbox?event=Timed&from=2025-03-01T09:30&to=2025-03-01T09:31"))).toEqual([
      id,
    ]);
    expect(idsIn(await see("/ops/outbox?event=Timed&from=2025-03-01T12:00"))).toEqual([]);
  });

  test("an event says what is sent, what was answered and what to do", async () => {
    const [id = 0] = await addRows(own.db, 1, { status: "dead", route: "answered", lastError: EVIL });
    const { outboxAttempts } = own.db.tables;
    await own.db.transaction((tx) =>
      tx.insert(outboxAttempts).values({
        destination: "meta",
        route: "answered",
        outboxIds: [id],
        startedAt: new Date(),
        outcome: "invalid",
        events: 1,
        status: 400,
        code: 100,
        subcode: 2804050,
        durationMs: 12,
        response: `{"error":{"message":"${EVIL}"}}`,
      }),
    );
    const html = await see(`/ops/outbox/${id}`);
    expect(html).toContain("Meta refused it for good");
    expect(html).toContain("100/2804050");
    expect(html).toContain("&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(html).not.toContain("<script>alert");
    expect(html).toContain("event_source_url");
  });

  test("an event on a paused route is not said to go by itself: why, since when, the pool, and Resume", async () => {
    const { pool } = await addPool(own.db, { slug: "held", metaPixelId: "4040" });
    const [id = 0] = await addRows(own.db, 1, { route: "4040", poolId: pool.id });
    expect(await see(`/ops/outbox/${id}`)).toContain("is sent by itself.");
    await own.db.transaction((tx) =>
      pauseRoute(tx, own.db, { destination: "meta", route: "4040" }, `token ${EVIL}`),
    );
    const html = await see(`/ops/outbox/${id}`);
    expect(html).toContain("Its route is paused");
    expect(html).not.toContain("It waits for its time");
    expect(html).not.toContain("Retry…");
    expect(html).toContain("token &lt;/pre&gt;");
    expect(html).toContain(`href="/ops/pools/${pool.id}"`);
    const answer = await operator.post("/ops/routes/resume", formIn(html, "/ops/routes/resume"));
    expect(answer.headers.get("location")).toBe(`/ops/outbox/${id}`);
    expect(await see(`/ops/outbox/${id}`)).toContain("It waits for its time");
    const { auditLog } = own.db.tables;
    const resumed = await own.db.select().from(auditLog).where(eq(auditLog.action, "outbox.resume"));
    expect(resumed).toMatchObject([
      {
        actor: "console",
        subject: "route:meta:4040",
        before: { state: "paused", paused_reason: `token ${EVIL}`, paused_at: expect.any(String) },
        after: { state: "ready" },
      },
    ]);
  });

  test("a retry that changes nothing says why", async () => {
    const [id = 0] = await addRows(own.db, 1);
    await operator.post("/ops/outbox/replay", { action: "retry", id: String(id), on_row: "1" });
    expect(operator.cookies.get("ponte_note")).toStartWith("warn%3A");
    expect(await see(`/ops/outbox/${id}`)).toContain(
      "Nothing was changed. What waits and is due goes by itself",
    );
  });

  test("an event on a route that rests says until when", async () => {
    const key = { destination: "meta", route: "5050" } as const;
    const [id = 0] = await addRows(own.db, 1, key);
    await own.db.transaction((tx) => changeRoute(tx, own.db, key, { kind: "throttled", forMs: 600_000 }));
    expect(await see(`/ops/outbox/${id}`)).toContain("Held: asked to slow down");
  });

  test("the ticked events are retried or discarded, delivered ones never, and the audit log says by whom", async () => {
    const [a = 0, b = 0, c = 0] = await addRows(own.db, 3, { status: "dead", availableInMs: 3_600_000 });
    const [sent = 0] = await addRows(own.db, 1, { status: "delivered" });
    const ids = [a, b, sent].map(String);
    const answer = await operator.post("/ops/outbox/replay", { action: "discard", id: ids, status: "dead" });
    expect(answer.headers.get("location")).toBe("/ops/outbox?status=dead");
    expect(await statusesOf([a, b, c, sent])).toEqual(["discarded", "discarded", "dead", "delivered"]);
    expect(await see("/ops/outbox")).toContain("2 events discarded.");
    const retried = await operator.post("/ops/outbox/replay", {
      action: "retry",
      id: String(a),
      on_row: "1",
    });
    expect(retried.headers.get("location")).toBe(`/ops/outbox/${a}`);
    expect(await statusesOf([a, b])).toEqual(["pending", "discarded"]);
    const { auditLog } = own.db.tables;
    const written = await own.db.select({ actor: auditLog.actor, action: auditLog.action }).from(auditLog);
    for (const action of ["outbox.discard", "outbox.retry"]) {
      expect(written).toContainEqual({ actor: "console", action });
    }
  });

  test("a page counts nothing; the question does, and all that match are changed by a job one can watch", async () => {
    const ids = await addRows(own.db, 70, { status: "dead", eventName: "Bulk" });
    const [other = 0] = await addRows(own.db, 1, { status: "dead", eventName: "Bulky" });
    const list = await see("/ops/outbox?event=Bulk&status=dead");
    expect(list).not.toContain("70 events");
    const question = await see(linkIn(list, "Discard all…"));
    expect(question).toContain("Discard 70 events?");
    expect(question).toContain("There is no undo");
    const answer = await operator.post("/ops/outbox/replay", formIn(question, "/ops/outbox/replay"));
    const job = answer.headers.get("location") ?? "";
    expect(job).toStartWith("/ops/outbox/jobs/");
    await seeUntil(`${job}/progress`, "70 events discarded");
    expect(await see(job)).toContain("70 events discarded");
    expect(new Set(await statusesOf(ids))).toEqual(new Set<OutboxStatus>(["discarded"]));
    expect(await statusesOf([other])).toEqual(["dead"]);
    const { auditLog } = own.db.tables;
    const written = await own.db.select().from(auditLog).where(eq(auditLog.actor, "console"));
    const filter = { eventName: "Bulk", status: "dead" };
    expect(written).toContainEqual(
      expect.objectContaining({ action: "outbox.discard", after: { filter, rows: 70 } }),
    );
  });

  test("a job that runs can be looked at however many there are; of ended ones, those that ended last", async () => {
    const jobs = createReplayJobs(own.deps);
    const ids = Array.from({ length: 25 }, (_, i) =>
      jobs.start({ action: "retry", filter: { eventName: `Nothing ${i}` }, actor: "console", total: 0 }),
    );
    expect(new Set(ids.map((id) => jobs.find(id)?.state))).toEqual(new Set(["running"]));
    await jobs.stop();
    const ended = ids.map((id) => jobs.find(id)).filter((job) => job !== null);
    expect(ended).toHaveLength(20);
    expect(ended.map(({ state }) => state)).not.toContain("running");
  });

  test("a job that runs long outlasts the others in sight, and a stop ends it after the batch in hand", async () => {
    const ids = await addRows(own.db, 2_000, { status: "dead", eventName: "Long" });
    const { db, done, letGo } = heldDatabase(own.db);
    const jobs = createReplayJobs({ ...own.deps, db });
    const start = (eventName: string) =>
      jobs.start({ action: "discard", filter: { eventName }, actor: "console", total: null });
    const long = start("Long");
    await done;
    const others = Array.from({ length: 25 }, () => start("Nothing"));
    await until(() => others.filter((id) => jobs.find(id) === null).length === 5);
    expect(jobs.find(long)).toMatchObject({ state: "running", done: 0 });
    const stopped = jobs.stop();
    letGo();
    await stopped;
    const job = jobs.find(long);
    expect(job?.state).toBe("stopped");
    const discarded = (await statusesOf(ids)).filter((status) => status === "discarded").length;
    expect(discarded).toBe(job?.done ?? 0);
    expect(discarded).toBeLessThan(2_000);
  });

  test("a job that is forgotten, or of another process, is said to be one, and its address makes no page fail", async () => {
    for (const path of ["/ops/outbox/jobs/nobody", "/ops/outbox/jobs/%00"]) {
      const answer = await operator.get(path);
      expect(answer.status).toBe(404);
      expect(await answer.text()).toContain("The audit log says when it began");
      expect(await see(`${path}/progress`)).toContain("audit log");
    }
  });

  test("the ticked, and all of a page, are asked about first with their number, without any script", async () => {
    const ids = await addRows(own.db, 60, { status: "dead", eventName: "Paged" });
    const [sent = 0] = await addRows(own.db, 1, { status: "delivered", eventName: "Paged" });
    const ticked = await see(`/ops/outbox/replay?action=retry&id=${ids[0]}&id=${sent}&event=Paged`);
    expect(ticked).toContain("Retry 1 event?");
    expect(ticked).toContain("Of 2 events only 1 can be changed");
    const list = await see("/ops/outbox?event=Paged");
    expect(list).toContain('data-checks-all="id"');
    const question = await see(linkIn(list, "Discard this page…"));
    expect(question).toContain("Discard 49 events?");
    expect(await statusesOf(ids)).not.toContain("discarded");
    const form = formIn(question, "/ops/outbox/replay");
    expect((await operator.post("/ops/outbox/replay", form)).headers.get("location")).toBe(
      "/ops/outbox?event=Paged",
    );
    const statuses = await statusesOf(ids);
    expect(statuses.filter((status) => status === "discarded")).toHaveLength(49);
    expect(await see(linkIn(list, "Discard this page…"))).toContain("Nothing to discard");
  });

  test("where all that match are none, it is said that those that wait were not meant", async () => {
    await addRows(own.db, 1, { status: "pending", eventName: "Waits" });
    const asked = await see("/ops/outbox/replay?action=discard&all=1&event=Waits");
    expect(asked).toContain("Nothing to discard");
    expect(asked).toContain("Filter: event “Waits”, of those that are dead or expired.");
    const named = await see("/ops/outbox/replay?action=discard&all=1&event=Waits&status=pending");
    expect(named).toContain("Discard 1 event?");
  });

  test("a filter that finds nothing can be cleared", async () => {
    const html = await see("/ops/outbox?event=Nobody");
    expect(html).toContain("No event matches.");
    expect(linkIn(html, "Clear")).toBe("/ops/outbox");
  });

  test("another site's form, and one that names nothing, change nothing", async () => {
    const [id = 0] = await addRows(own.db, 1, { status: "dead" });
    const cookie = [...operator.cookies].map((pair) => pair.join("=")).join("; ");
    const forged = await own.request("/ops/outbox/replay", {
      method: "POST",
      body: new URLSearchParams({ action: "discard", id: String(id) }),
      headers: { cookie, origin: "https://evil.example" },
    });
    expect(forged.status).toBe(403);
    for (const fields of [
      {},
      { action: "retry" },
      { action: ["retry", "discard"], id: String(id) },
      { action: "discard", id: Array.from({ length: 1_001 }, (_, i) => String(i + 1)) },
      { action: "drop", id: String(id) },
      { action: "discard", id: "x" },
    ]) {
      const answer = await operator.post("/ops/outbox/replay", fields);
      expect(answer.status).toBe(400);
      expect(await answer.text()).toContain("Nothing was changed");
    }
    expect(await statusesOf([id])).toEqual(["dead"]);
  });

  // Each of these would widen "all that match" if it were left out.
  test.each<[field: string, value: string | readonly string[]]>([
    ["status", "ded"],
    ["status", ["dead", "expired"]],
    ["destination", "facebook"],
    ["pool", "\0"],
    ["pool", "x".repeat(201)],
    ["event", "x".repeat(201)],
    ["event", ["Lead", "Purchase"]],
    ["text", "a\u0007b"],
    ["from", "yesterday"],
    ["from", "2025-02-30T00:00"],
    ["to", "9999-99-99T99:99"],
    ["event_name", "Lead"],
    ["id", "x"],
  ])("a filter whose %s is %j changes nothing, and says what is wrong", async (field, value) => {
    const [id = 0] = await addRows(own.db, 1, { status: "dead", eventName: "Kept" });
    for (const action of ["retry", "discard"]) {
      const fields = { all: "1", action, event: "Kept", status: "dead", [field]: value };
      const answer = await operator.post("/ops/outbox/replay", fields);
      expect(answer.status).toBe(400);
      const html = await answer.text();
      expect(html).toContain("Nothing was changed");
      expect(html).not.toContain("Discard all");
    }
    expect(await statusesOf([id])).toEqual(["dead"]);
    if (field === "id") return;
    const query = new URLSearchParams([value].flat().map((one) => [field, one]));
    const html = await see(`/ops/outbox?${query}`);
    if (field !== "event_name") expect(Object.keys(errorsIn(html))).toEqual([field]);
    expect(html).toContain("Nothing is listed");
    expect(html).not.toContain("Retry all");
    expect(idsIn(html)).toEqual([]);
  });

  test("a pool that is not there is told from one without events", async () => {
    await addPool(own.db, { slug: "quiet" });
    const [quiet, misspelt] = [await see("/ops/outbox?pool=quiet"), await see("/ops/outbox?pool=quite")];
    expect([errorsIn(quiet), errorsIn(misspelt)]).toEqual([{}, { pool: "There is no such pool." }]);
    expect(quiet).toContain("No event matches.");
    expect(misspelt).toContain("Nothing is listed");
  });

  test("of ticked events none is changed where one is no event's number", async () => {
    const [id = 0] = await addRows(own.db, 1, { status: "dead" });
    for (const other of ["x", "0", "1.5", "9".repeat(20)]) {
      const fields = { action: "discard", id: [String(id), other] };
      expect((await operator.post("/ops/outbox/replay", fields)).status).toBe(400);
    }
    expect(await statusesOf([id])).toEqual(["dead"]);
  });

  test("no query and no address breaks the pages", async () => {
    const names = ["status", "destination", "pool", "event", "text", "from", "to", "cursor"];
    const odd = fc.constantFrom(
      "\0",
      "%",
      "-1",
      "1e400",
      "9".repeat(400),
      "0000-00-00T00:00",
      "9999-99-99T99:99",
      EVIL,
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.oneof(odd, fc.string({ unit: "binary" })),
        async (name, value) => {
          const text = encodeURIComponent(value.toWellFormed());
          expect((await operator.get(`/ops/outbox?${name}=${text}`)).status).toBe(200);
          expect((await operator.get(`/ops/outbox/x${text}`)).status).toBe(404);
        },
      ),
      { numRuns: 150 },
    );
  });
});
