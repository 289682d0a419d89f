import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { poolLines } from "../../src/ops/pools/list-lines.ts";
import { pauseRoute } from "../../src/outbox/change-route.ts";
import { HOUR_MS } from "../../src/platform/durations.ts";
import { createPool } from "../../src/pools/manage-pools.ts";
import { findPool, type PoolView } from "../../src/pools/pool-view.ts";
import { bucketStart } from "../../src/rollups/bucket.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { lastAudit } from "../support/audit.ts";
import { testDialect } from "../support/database.ts";
import { errorsIn, inlineScripts } from "../support/html.ts";
import { logIn, OPERATOR_PASSWORD, type TestOperator } from "../support/operator.ts";
import { addPool } from "../support/pools.ts";

const EVIL = `"><script>alert(1)</script>`;
const TOKEN = "EAABtheTokenOfMetaThatNobodyReads";

/** Stands still, so that no day ends between what a test counts and what the page shows. */
const now = new Date();
let own: TestApp;
let operator: TestOperator;
beforeAll(async () => {
  const environment = { OPERATOR_PASSWORD, PUBLIC_URL: "http://bridge.example.com" };
  own = await createTestApp(environment, (deps) => ({ ...deps, now: () => now }));
  operator = await logIn(own);
});
afterAll(() => own.dispose());

const see = (path: string) => operator.see(path);

async function poolOf(slug: string): Promise<PoolView> {
  const pool = await findPool(own.db, own.db.tables, slug);
  if (!pool) throw new Error(`there is no pool ${slug}`);
  return pool;
}

const formOn = (path: string) => operator.formOn(path);

describe(`the console's pools on ${testDialect}`, () => {
  test("a pool is made out of the form's fields, with its bots, and stands in list and audit log", async () => {
    const answer = await operator.post("/ops/pools/new", {
      ...(await formOn("/ops/pools/new")),
      slug: "made",
      name: "",
      bot_username: ["@first_bot", "", "second_bot"],
      bot_weight: ["3", "1", "2"],
      bot_enabled: ["0"],
      meta_pixel_id: "1234567890",
      meta_access_token: TOKEN,
      meta_cloaker_enabled: "1",
      meta_cloaker_param_value: "k7Qx2",
      auto_continue_ms: "3000",
      capture_params: "src, ref  src",
      locale: "pt-BR",
    });
    const pool = await poolOf("made");
    expect(answer.headers.get("location")).toBe(`/ops/pools/${pool.id}`);
    expect(pool).toMatchObject({
      name: "made",
      enabled: true,
      has_access_token: true,
      meta_cloaker_enabled: true,
      auto_continue_ms: 3_000,
      capture_params: ["src", "ref"],
      locale: "pt-BR",
    });
    expect(pool.bots.map(({ username, weight, enabled }) => [username, weight, enabled])).toEqual([
      ["first_bot", 3, true],
      ["second_bot", 2, false],
    ]);
    expect(await see("/ops/pools")).toContain(`href="/ops/pools/${pool.id}"`);
    const entry = await lastAudit(own.db);
    expect(entry).toMatchObject({ actor: "console", action: "pool.create", subject: "pool:made" });
    expect(JSON.stringify(entry)).not.toContain(TOKEN);
    expect(await see(`/ops/pools/${pool.id}`)).not.toContain(TOKEN);
  });

  test("the list counts a pool's clicks since midnight, and a name leads from the overview to its pool", async () => {
    const { pool } = await addPool(own.db, { slug: "busy" });
    const counted = (hourMs: number, clicks: number) => ({
      dimension: "pool" as const,
      hour: new Date(bucketStart(hourMs, HOUR_MS)),
      key: String(pool.id),
      currency: "",
      clicks,
      ...{ starts: 0, checkouts: 0, paid: 0, delivered: 0, refunded: 0, valueMinor: 0, refundedMinor: 0 },
    });
    const rows = [counted(now.getTime(), 4321), counted(now.getTime() - 24 * HOUR_MS, 8765)];
    await own.db.transaction((tx) => tx.insert(own.db.tables.funnelHourly).values(rows));
    const html = await see("/ops/pools");
    expect(html).toContain("4,321");
    expect(html).not.toContain("13,086");
    expect(await see("/ops?span=7d")).toContain(`href="/ops/pools/${pool.id}"`);
  });

  test("where midnight lies within an hour of UTC, today's clicks are there from its first minute on", async () => {
    const { pool } = await addPool(own.db, { slug: "indian" });
    const hour = new Date("2025-03-01T18:00:00Z");
    await own.db.transaction((tx) =>
      tx.insert(own.db.tables.funnelHourly).values({
        ...{ dimension: "pool", hour, key: String(pool.id), currency: "", clicks: 7 },
        ...{ starts: 0, checkouts: 0, paid: 0, delivered: 0, refunded: 0, valueMinor: 0, refundedMinor: 0 },
      }),
    );
    const clicksAt = async (iso: string) => {
      const clock = { nowMs: Date.parse(iso), zone: "Asia/Kolkata" };
      return (await poolLines(own.db, [await poolOf("indian")], clock)).map(({ today }) => today);
    };
    expect(await clicksAt("2025-03-01T18:31:00Z")).toEqual([7]);
    expect(await clicksAt("2025-03-02T18:00:00Z")).toEqual([7]);
    expect(await clicksAt("2025-03-02T18:31:00Z")).toEqual([0]);
  });

  test("a page that is saved as it is changes nothing, and a token that is not typed stays", async () => {
    const draft = {
      slug: "kept",
      name: "Kept & <b>",
      meta_pixel_id: "123",
      meta_access_token: TOKEN,
      meta_cloaker_param_value: "abc.~x",
      bots: [{ username: "kept_bot", weight: 7, enabled: false }],
    };
    await createPool(own.deps, "cli", draft);
    const before = await poolOf("kept");
    const path = `/ops/pools/${before.id}`;
    await operator.post(path, await formOn(path));
    expect(await poolOf("kept")).toEqual(before);
    expect(await see(path)).toContain("Nothing was different.");

    await operator.post(path, { ...(await formOn(path)), name: "Renamed", meta_access_token: "EAABanother" });
    expect(await poolOf("kept")).toMatchObject({ name: "Renamed", has_access_token: true });
    expect(await lastAudit(own.db)).toMatchObject({
      action: "pool.update",
      before: { name: "Kept & <b>" },
      after: { name: "Renamed", meta_access_token: "[changed]" },
    });

    const { meta_tracking_enabled: _ticked, ...untracked } = await formOn(path);
    await operator.post(path, { ...untracked, removes_access_token: "1" });
    expect(await poolOf("kept")).toMatchObject({ has_access_token: false, meta_tracking_enabled: false });
  });

  test("what is wrong stands beside its field, what was typed stays, and nothing is saved", async () => {
    const { pool } = await addPool(own.db, { slug: "refused", metaPixelId: null });
    const path = `/ops/pools/${pool.id}`;
    const before = await poolOf("refused");
    const answer = await operator.post(path, {
      ...(await formOn(path)),
      name: "Typed name",
      meta_pixel_id: EVIL,
      meta_access_token: TOKEN,
      auto_continue_ms: "soon",
      capture_params: "fine utm_source",
      bot_username: ["good_bot", "bad bot"],
      bot_weight: ["1", "0"],
    });
    expect(answer.status).toBe(400);
    const html = await answer.text();
    expect(Object.keys(errorsIn(html)).sort()).toEqual([
      "auto_continue_ms",
      "bot-1",
      "capture_params",
      "meta_pixel_id",
    ]);
    expect(html).toContain('value="Typed name"');
    expect(html).toContain('value="bad bot"');
    expect(inlineScripts(html)).toEqual([]);
    expect(html).not.toContain(TOKEN);
    expect(await poolOf("refused")).toEqual(before);

    const empty = await operator.post("/ops/pools/new", {});
    expect(empty.status).toBe(400);
    expect(await empty.text()).toContain("a pool needs at least one bot");
    const taken = await operator.post("/ops/pools/new", {
      ...(await formOn("/ops/pools/new")),
      slug: "refused",
      bot_username: "good_bot",
      bot_weight: "1",
    });
    expect(taken.status).toBe(400);
    expect(await taken.text()).toContain("there is a pool of this slug already");
  });

  test("a page that was opened before somebody else's change does not undo it", async () => {
    const { pool } = await addPool(own.db, { slug: "twice", metaPixelId: null });
    const path = `/ops/pools/${pool.id}`;
    const [mine, theirs] = [await formOn(path), await formOn(path)];
    await operator.post(path, { ...theirs, meta_cloaker_enabled: "1", meta_cloaker_param_value: "theirs" });
    const answer = await operator.post(path, { ...mine, name: "Mine" });
    expect(answer.status).toBe(400);
    const html = await answer.text();
    expect(html).toContain("was changed since this page was opened");
    expect(html).toContain('value="Mine"');
    expect(await poolOf("twice")).toMatchObject({ name: "twice", meta_cloaker_param_value: "theirs" });
  });

  test("names are text, forged forms change nothing, and no address breaks the pages", async () => {
    const { pool } = await addPool(own.db, { slug: "named", name: EVIL, metaTestEventCode: EVIL });
    for (const path of ["/ops/pools", `/ops/pools/${pool.id}`]) {
      const html = await see(path);
      expect(html).toContain("&lt;script");
      expect(inlineScripts(html)).toEqual([]);
      expect(html).toContain("Meta still counts them");
    }
    const cookie = [...operator.cookies].map((pair) => pair.join("=")).join("; ");
    const forged = await own.request(`/ops/pools/${pool.id}`, {
      method: "POST",
      body: new URLSearchParams({ name: "Forged", bot_username: "evil_bot", bot_weight: "1" }),
      headers: { cookie, origin: "http://bridge.example.com" },
    });
    expect(forged.status).toBe(403);
    expect((await poolOf("named")).name).toBe(EVIL);
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: "binary" }), fc.double().map(String)), async (given) => {
        const text = encodeURIComponent(given.toWellFormed());
        expect((await operator.get(`/ops/pools?cursor=${text}`)).status).toBe(200);
        expect((await operator.get(`/ops/pools/x${text}`)).status).toBe(404);
        expect((await operator.post(`/ops/pools/x${text}`, { name: "x" })).status).toBe(404);
      }),
      { numRuns: 50 },
    );
  });

  test("only a pool that nobody visited is removed", async () => {
    const { pool: visited } = await addPool(own.db, { slug: "visited", totalRedirects: 1 });
    await operator.post(`/ops/pools/${visited.id}/remove`);
    expect(await see(`/ops/pools/${visited.id}`)).toContain("It was not removed");
    const { pool } = await addPool(own.db, { slug: "mistyped" });
    const path = `/ops/pools/${pool.id}`;
    expect(await see(path)).toContain(`action="${path}/remove"`);
    expect((await operator.post(`${path}/remove`)).headers.get("location")).toBe("/ops/pools");
    expect(await see("/ops/pools")).toContain("The pool mistyped is removed.");
    expect((await operator.get(path)).status).toBe(404);
    expect((await operator.post(`${path}/remove`)).status).toBe(404);
    expect(await lastAudit(own.db)).toMatchObject({ action: "pool.delete", subject: "pool:mistyped" });
  });

  test("says on the list and on its own page that nothing of it reaches Meta, and why", async () => {
    const { pool } = await addPool(own.db, { slug: "unheard", metaPixelId: "4711" });
    const { id } = pool;
    expect(await see(`/ops/pools/${id}`)).not.toContain("route is paused");
    const key = { destination: "meta", route: "4711" } as const;
    await own.db.transaction((tx) => pauseRoute(tx, own.db, key, "the token has expired"));
    expect(await see("/ops/pools")).toContain("on, paused");
    const paused = await see(`/ops/pools/${id}`);
    expect(paused).toContain("Its route is paused");
    expect(paused).toContain("the token has expired");
  });
});
