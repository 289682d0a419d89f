import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
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

async function list(query: string) {
  const answer = await api.call("GET", `/api/outbox${query}`);
  expect(answer.status).toBe(200);
  return SCHEMAS.OutboxPage.parse(answer.body);
}

describe(`the outbox over the API on ${testDialect}`, () => {
  test("is listed newest first, in pages", async () => {
    const all = await list("");
    expect(all.items).toHaveLength(6);
    const first = await list("?limit=4");
    const second = await list(`?limit=4&cursor=${first.next_cursor}`);
    expect([...first.items, ...second.items]).toEqual(all.items);
    expect(second.next_cursor).toBeNull();
    const isPageView = ({ event_id }: { event_id: string }) => event_id === `evt_${visitor.token}`;
    expect(all.items.find(isPageView)).toMatchObject({
      pool: visitor.slug,
      payment_id: null,
      delivered_at: "2025-03-01T12:00:02.000Z",
    });
  });

  test.each<[query: string, rows: number]>([
    ["?status=dead", 2],
    ["?status=delivered&event_name=PageView", 2],
    ["?pool=<slug>", 3],
    ["?event_id=purchase_<payment>", 1],
    ["?tracking_token=<token>&destination=telegram", 1],
    ["?text=invalid%20PARAM", 2],
    ["?after=2025-03-01T12:00:05Z", 4],
    ["?before=2025-03-01", 0],
  ])("%s picks out what it says", async (query, rows) => {
    const { slug, paymentId, token } = visitor;
    const filled = query.replace("<slug>", slug).replace("<payment>", paymentId).replace("<token>", token);
    expect((await list(filled)).items).toHaveLength(rows);
  });

  test.each([
    "?status=lost",
    "?after=yesterday",
    "?after=0000-01-01",
    "?before=9999-12-31T23:59:59-03:00",
    "?after=0001-01-01T00:00:00%2B14:00",
    "?colour=red",
    "?text=%00",
    "?pool=",
  ])("the query %s is refused", async (query) => {
    const answer = await api.call("GET", `/api/outbox${query}`);
    expect(answer.status).toBe(400);
    expect(SCHEMAS.Problem.parse(answer.body).errors).toHaveLength(1);
  });

  test("a pool that is none is said to be none, wherever events are chosen by it", async () => {
    const refusal = (path: string) => ({
      status: 400,
      body: {
        detail: expect.stringContaining('There is no pool "nobody".'),
        errors: [{ path, message: "names no pool" }],
      },
    });
    expect(await api.call("GET", "/api/outbox?pool=nobody")).toMatchObject(refusal("pool"));
    for (const action of ["retry", "discard"])
      for (const dry_run of [true, false])
        expect(
          await api.call("POST", `/api/outbox/${action}`, { filter: { pool: "nobody" }, dry_run }),
        ).toMatchObject(refusal("filter.pool"));
  });

  test("a row opens with its payload and its requests", async () => {
    const [row] = (await list(`?event_id=evt_${visitor.token}`)).items;
    const answer = await api.call("GET", `/api/outbox/${row?.id}`);
    SCHEMAS.OutboxDetail.parse(answer.body);
    expect(answer.body).toMatchObject({ payload: { event_id: `evt_${visitor.token}` }, requests: [] });
    expect((await api.call("GET", "/api/outbox/999999")).status).toBe(404);
  });

  test("a dry run counts and changes nothing; the real one retries, and is written down", async () => {
    const filter = { pool: visitor.slug, status: "dead" };
    const dry = await api.call("POST", "/api/outbox/retry", { filter, dry_run: true });
    expect(dry.body).toEqual({ action: "retry", dry_run: true, rows: 1 });
    expect((await list("?status=dead")).items).toHaveLength(2);
    const real = await api.call("POST", "/api/outbox/retry", { filter });
    expect(SCHEMAS.Replayed.parse(real.body).rows).toBe(1);
    expect((await list(`?status=pending&pool=${visitor.slug}`)).items).toHaveLength(1);
    const { auditLog } = api.own.db.tables;
    const audited = await api.own.db.select().from(auditLog).where(eq(auditLog.action, "outbox.retry"));
    expect(audited).toMatchObject([{ actor: "api:environment", after: { rows: 1, filter } }]);
  });

  test("is counted by status, on request without what was delivered", async () => {
    const statuses = async (query: string) => {
      const answer = await api.call("GET", `/api/outbox/status${query}`);
      return SCHEMAS.OutboxStatus.parse(answer.body).events.map(({ status }) => status);
    };
    for (const query of ["", "?delivered=true"]) expect(await statuses(query)).toContain("delivered");
    expect(await statuses("?delivered=false")).not.toContain("delivered");
    expect(await statuses("?delivered=false")).toContain("dead");
  });

  test("chosen rows are discarded; delivered ones stay", async () => {
    const all = await list("");
    const ids = all.items.map(({ id }) => id);
    const answer = await api.call("POST", "/api/outbox/discard", { ids });
    expect(SCHEMAS.Replayed.parse(answer.body).rows).toBe(2);
    const statuses = (await list("")).items.map(({ status }) => status);
    expect(statuses.filter((status) => status === "delivered")).toHaveLength(4);
    expect(statuses.filter((status) => status === "discarded")).toHaveLength(2);
  });

  test("what may stand there, and what is missing, is said in plain words", async () => {
    const lost = await api.call("GET", "/api/outbox?status=lost");
    const choice = "one of pending, sending, delivered, dead, expired, discarded";
    expect(lost.body).toMatchObject({ errors: [{ path: "status", message: choice }] });
    const nowhere = await api.call("POST", "/api/outbox/routes/pause", { destination: "meta" });
    expect(nowhere.body).toMatchObject({ errors: [{ path: "route", message: "is missing" }] });
  });

  test.each([
    {},
    { ids: [1], filter: {} },
    { ids: [] },
    { ids: ["1"] },
    { ids: [0] },
    { filter: { colour: 1 } },
    { filter: null },
  ])("the selection %j is refused", async (body) => {
    expect((await api.call("POST", "/api/outbox/discard", body)).status).toBe(400);
  });

  test.each(['{"ids": [1,]}', "hello", ""])(
    "the body %j is said to be no JSON, once the key is known",
    async (body) => {
      const answer = await api.call("POST", "/api/outbox/discard", body);
      expect(answer).toMatchObject({
        status: 400,
        body: { detail: "The body is not valid JSON.", errors: [] },
      });
      expect((await api.call("POST", "/api/outbox/discard", body, null)).status).toBe(401);
    },
  );

  test("a route is paused and goes again, and one that nothing has is not found", async () => {
    const pause = (route: string) =>
      api.call("POST", "/api/outbox/routes/pause", { destination: "meta", route });
    const route = "777";
    await addPool(api.own.db, { slug: "paused", metaPixelId: route });
    expect(await pause(route)).toMatchObject({
      status: 200,
      body: { destination: "meta", route, paused: true },
    });
    const resumed = await api.call("POST", "/api/outbox/routes/resume", { destination: "meta", route });
    expect(resumed.status).toBe(200);
    expect((await pause(`${route}0`)).status).toBe(404);
  });
});
