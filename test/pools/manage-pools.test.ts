import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { and, eq, ne } from "drizzle-orm";
import fc from "fast-check";
import { changeRoute } from "../../src/outbox/change-route.ts";
import { parseInput } from "../../src/platform/parse-input.ts";
import { createSecrets } from "../../src/platform/secrets.ts";
import { createPool, deletePool, updatePool } from "../../src/pools/manage-pools.ts";
import { type PoolChange, type PoolDraft, poolChangeSchema } from "../../src/pools/pool-rules.ts";
import { findPool, listPools, type PoolView } from "../../src/pools/pool-view.ts";
import { lastAudit } from "../support/audit.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { emptyOutbox, enqueueEvents, pageView } from "../support/outbox.ts";
import { untilHeldUp } from "../support/until-held-up.ts";
import { visitOf, writerOn } from "../support/visits.ts";

const NOW = new Date("2025-01-02T03:04:05.678Z");
const secrets = createSecrets(randomBytes(32));
let own: TestDatabase;

beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.dispose());

const deps = () => ({ db: own.db, secrets, now: () => NOW });
let slugs = 0;

async function newPool(draft: Partial<PoolDraft> = {}): Promise<PoolView> {
  slugs += 1;
  const result = await createPool(deps(), "test", {
    slug: `pool-${slugs}`,
    bots: [{ username: "shop_bot" }],
    ...draft,
  });
  if (result.kind !== "created") throw new Error(`not created: ${JSON.stringify(result)}`);
  return result.pool;
}

async function change(slug: string, wanted: PoolChange): Promise<PoolView> {
  const result = await updatePool(deps(), "test", slug, wanted);
  if (result.kind !== "updated") throw new Error(`not updated: ${JSON.stringify(result)}`);
  return result.pool;
}

async function rowOf(slug: string) {
  const { pools } = own.db.tables;
  const [row] = await own.db.select().from(pools).where(eq(pools.slug, slug));
  if (row === undefined) throw new Error(`no pool ${slug}`);
  return row;
}

describe(`pools on ${testDialect}`, () => {
  test("a pool that is changed or removed leaves all others, and who is in them, as they are", async () => {
    const [, { slug }] = [await newPool(), await newPool(), await newPool()];
    const { id } = await rowOf(slug);
    const { pools, poolBots } = own.db.tables;
    const others = async () => ({
      pools: await own.db.select().from(pools).where(ne(pools.id, id)).orderBy(pools.id),
      members: await own.db.select().from(poolBots).where(ne(poolBots.poolId, id)).orderBy(poolBots.id),
    });
    const before = await others();
    await change(slug, { name: "Other", enabled: false, bots: [{ username: "another_bot" }] });
    expect(await others()).toEqual(before);
    expect(await deletePool(deps(), "test", slug)).toEqual({ kind: "deleted" });
    expect(await others()).toEqual(before);
  });

  test("a new pool has its defaults, its bots, and shows no token", async () => {
    const pool = await newPool({
      meta_pixel_id: "123",
      meta_access_token: "EAAB-secret",
      bots: [{ username: "one_bot", weight: 3 }, { username: "two_bot" }],
    });
    expect(pool).toMatchObject({
      name: pool.slug,
      enabled: true,
      strategy: "weighted",
      meta_pixel_id: "123",
      has_access_token: true,
      meta_cloaker_enabled: false,
      meta_cloaker_param_name: "grim",
      capture_params: [],
      total_redirects: 0,
      bots: [
        { username: "one_bot", weight: 3, enabled: true },
        { username: "two_bot", weight: 1, enabled: true },
      ],
    });
    expect(JSON.stringify(pool)).not.toContain("EAAB");
    expect(await findPool(own.db, own.db.tables, pool.slug)).toEqual(pool);
  });

  test("the access token lies sealed in the database and opens for its purpose alone", async () => {
    const { slug } = await newPool({ meta_pixel_id: "123", meta_access_token: "EAAB-secret" });
    const sealed = (await rowOf(slug)).metaAccessToken ?? "";
    // Four letters of it stand in one of some hundred thousand sealed texts by chance.
    expect(sealed).not.toContain("EAAB-secret");
    expect(secrets.open(sealed, "pools.meta_access_token")).toBe("EAAB-secret");
    expect(() => secrets.open(sealed, "bots.token")).toThrow();
  });

  test("a slug belongs to one pool, also when two operators ask at once", async () => {
    const draft = { slug: "once", bots: [{ username: "race_bot" }] };
    const results = await Promise.all(Array.from({ length: 8 }, () => createPool(deps(), "test", draft)));
    expect(results.map(({ kind }) => kind).sort()).toEqual(["created", ...Array(7).fill("slug_taken")]);
    const { bots } = own.db.tables;
    expect(await own.db.$count(bots, eq(bots.username, "race_bot"))).toBe(1);
  });

  test("pools that make the same bots at once, named in any order, are all made", async () => {
    const names = Array.from({ length: 20 }, (_, i) => `crowd_bot_${i}`);
    const drafts = Array.from({ length: 8 }, (_, i) => ({
      slug: `crowd-${i}`,
      bots: (i % 2 === 0 ? names : names.toReversed()).map((username) => ({ username })),
    }));
    const results = await Promise.all(drafts.map((draft) => createPool(deps(), "test", draft)));
    expect(results.map(({ kind }) => kind)).toEqual(drafts.map(() => "created"));
    const inOrder = results.map(
      (made) => made.kind === "created" && made.pool.bots.map((bot) => bot.username),
    );
    expect(inOrder).toEqual(drafts.map(({ bots }) => bots.map(({ username }) => username)));
  });

  test("a bot is the same bot in any spelling of its name", async () => {
    const first = await newPool({ bots: [{ username: "Case_Bot" }] });
    const second = await newPool({ bots: [{ username: "cASE_bOT" }] });
    expect(second.bots[0]?.id).toBe(first.bots[0]?.id ?? 0);
    expect(second.bots[0]?.username).toBe("Case_Bot");
  });

  test("a pixel without a token is refused, for its events could never be sent", async () => {
    const draft = { slug: "tokenless", bots: [{ username: "shop_bot" }], meta_pixel_id: "123" };
    expect(await createPool(deps(), "test", draft)).toMatchObject({
      kind: "invalid",
      issues: [{ path: "meta_access_token" }],
    });
    expect(await findPool(own.db, own.db.tables, "tokenless")).toBeNull();
  });

  test("the gate goes on with its value and off without it, unless told otherwise", async () => {
    const { slug, ...pool } = await newPool({ meta_cloaker_param_value: "secret" });
    expect(pool.meta_cloaker_enabled).toBe(true);
    expect((await change(slug, { meta_cloaker_param_value: null })).meta_cloaker_enabled).toBe(false);
    expect((await change(slug, { meta_cloaker_param_value: "again" })).meta_cloaker_enabled).toBe(true);
    expect((await change(slug, { meta_cloaker_enabled: false })).meta_cloaker_param_value).toBe("again");
    // A gate that is off on purpose does not come on because its value changes.
    expect((await change(slug, { meta_cloaker_param_value: "other" })).meta_cloaker_enabled).toBe(false);
    expect(
      await updatePool(deps(), "test", slug, { meta_cloaker_enabled: true, meta_cloaker_param_value: null }),
    ).toMatchObject({ kind: "invalid", issues: [{ path: "meta_cloaker_param_value" }] });
  });

  test("a change touches what it names and clears what it clears", async () => {
    const { slug } = await newPool({ meta_test_event_code: "TEST1", utmify_pixel_id: "abc", name: "Before" });
    const parsed = parseInput(poolChangeSchema, { meta_test_event_code: "", name: "After" });
    if (parsed.kind === "invalid") throw new Error("refused");
    expect(await change(slug, parsed.value)).toMatchObject({
      name: "After",
      meta_test_event_code: null,
      utmify_pixel_id: "abc",
    });
  });

  test("a change that changes nothing leaves stamp and audit log alone", async () => {
    const { slug } = await newPool({ meta_pixel_id: "1", meta_access_token: "same", name: "Same" });
    const [stamp, audited] = [(await rowOf(slug)).updatedAt, await lastAudit(own.db)];
    const again = { name: "Same", meta_access_token: "same", bots: [{ username: "SHOP_bot" }] };
    expect(await updatePool(deps(), "test", slug, again)).toMatchObject({ kind: "unchanged" });
    expect((await rowOf(slug)).updatedAt).toEqual(stamp);
    expect((await lastAudit(own.db))?.id).toBe(audited?.id ?? 0);
  });

  test("the list of bots is replaced as a whole; who stays keeps counter, weight and switch", async () => {
    const { slug } = await newPool({
      bots: [{ username: "stay_bot", weight: 7 }, { username: "leave_bot" }],
    });
    const { poolBots } = own.db.tables;
    await own.db.transaction(async (tx) => {
      await tx.update(poolBots).set({ totalRedirects: 41 }).where(eq(poolBots.weight, 7));
    });
    const pool = await change(slug, { bots: [{ username: "stay_bot" }, { username: "new_bot", weight: 2 }] });
    expect(
      pool.bots.map(({ username, weight, total_redirects }) => [username, weight, total_redirects]),
    ).toEqual([
      ["stay_bot", 7, 41],
      ["new_bot", 2, 0],
    ]);
  });

  test("every change wakes the caches and has a later stamp, whatever the clock says", async () => {
    const { slug } = await newPool();
    let wakes = 0;
    const stop = own.db.listen("pools", () => {
      wakes += 1;
    });
    const before = wakes;
    const first = await change(slug, { name: "One" });
    const second = await change(slug, { bots: [{ username: "shop_bot", weight: 9 }] });
    stop();
    expect(wakes - before).toBeGreaterThanOrEqual(2);
    expect(Date.parse(second.updated_at)).toBeGreaterThan(Date.parse(first.updated_at));
  });

  test("the audit log says who changed what, and masks the token", async () => {
    const { slug } = await newPool({ meta_pixel_id: "1", meta_access_token: "old-token", name: "Old" });
    await updatePool(deps(), "api:reporting", slug, { name: "New", meta_access_token: "new-token" });
    const row = await lastAudit(own.db);
    expect(row).toMatchObject({
      actor: "api:reporting",
      action: "pool.update",
      subject: `pool:${slug}`,
      before: { name: "Old" },
      after: { name: "New", meta_access_token: "[changed]" },
    });
    expect(JSON.stringify(row)).not.toContain("new-token");
  });

  test("an unknown slug is not found", async () => {
    expect(await updatePool(deps(), "test", "nobody", { name: "x" })).toEqual({ kind: "not_found" });
    expect(await deletePool(deps(), "test", "nobody")).toEqual({ kind: "not_found" });
  });

  test("of two changes of the version that both editors saw, one is made; the other gets the pool as it is now", async () => {
    const pool = await newPool();
    const save = (name: string) => updatePool(deps(), "test", pool, { name });
    const results: object[] = await Promise.all([save("One"), save("Two")]);
    const current = await findPool(own.db, own.db.tables, pool.slug);
    expect(results).toContainEqual({ kind: "overtaken", current });
    expect(results).toContainEqual({ kind: "updated", pool: current });
  });

  test("an editor of an older version hears that first only where the change would be made, as with bots and offers", async () => {
    const pool = await newPool({ meta_cloaker_param_value: "secret" });
    const current = await change(pool.slug, { name: "Now" });
    const save = (changed: PoolChange) => updatePool(deps(), "test", pool, changed);
    const nothing = { meta_cloaker_enabled: true, meta_cloaker_param_value: null };
    expect(await save(nothing)).toMatchObject({ kind: "invalid" });
    expect(await save({ name: "Now" })).toEqual({ kind: "unchanged", pool: current });
    expect(await save({ name: "Then" })).toEqual({ kind: "overtaken", current });
  });

  test("a pool without visits can be removed, one with visits cannot", async () => {
    const unused = await newPool();
    expect(await deletePool(deps(), "test", unused.slug)).toEqual({ kind: "deleted" });
    expect(await findPool(own.db, own.db.tables, unused.slug)).toBeNull();
    const used = await newPool();
    const { pools } = own.db.tables;
    await own.db.transaction(async (tx) => {
      await tx.update(pools).set({ totalRedirects: 1 }).where(eq(pools.id, used.id));
    });
    expect(await deletePool(deps(), "test", used.slug)).toEqual({ kind: "in_use" });
  });

  test("a pool of which an event waits stays: its token may be what the event goes with", async () => {
    const { slug, id } = await newPool();
    await enqueueEvents(own.db, "1234567890123456", [pageView("waits")]);
    const { outboxProgress } = own.db.tables;
    await own.db.transaction((tx) => tx.update(outboxProgress).set({ poolId: id }));
    expect(await deletePool(deps(), "test", slug)).toEqual({ kind: "in_use" });
    await emptyOutbox(own.db);
    expect(await deletePool(deps(), "test", slug)).toEqual({ kind: "deleted" });
  });

  test("a token lets go what its pool's former pixel is refused, also where it has none now", async () => {
    const former = { destination: "meta", route: "77777777" } as const;
    const { slug } = await newPool({ meta_pixel_id: former.route, meta_access_token: "bad" });
    await change(slug, { meta_pixel_id: null, meta_access_token: null });
    const refused = { kind: "paused", reason: "bad token", by: "refusal" } as const;
    await own.db.transaction((tx) => changeRoute(tx, own.db, former, refused));
    await change(slug, { meta_access_token: "good" });
    const { outboxRoutes } = own.db.tables;
    expect(await own.db.$count(outboxRoutes, eq(outboxRoutes.route, former.route))).toBe(0);
  });

  test("a pool whose first visit is being counted stays, and neither waits for the other for ever", async () => {
    const { slug, id } = await newPool();
    const { pools, poolBots } = own.db.tables;
    const [removed] = await own.db.transaction(async (tx) => {
      await tx.update(pools).set({ totalRedirects: 1 }).where(eq(pools.id, id));
      const removing = deletePool(deps(), "test", slug);
      await untilHeldUp(own.db, removing);
      await tx.update(poolBots).set({ totalRedirects: 1 }).where(eq(poolBots.poolId, id));
      // In a list: awaited after the commit that it waits for.
      return [removing];
    });
    expect(await removed).toEqual({ kind: "in_use" });
    expect(await findPool(own.db, own.db.tables, slug)).toMatchObject({ bots: [{ total_redirects: 1 }] });
  });

  test("a pool whose refusals are being counted goes once they are, and neither waits for the other for ever", async () => {
    const { slug, id } = await newPool();
    const { gateRefusals } = own.db.tables;
    const refusal = (reason: "param" | "automated") => ({ poolId: id, reason, hour: NOW, total: 1 });
    // The first that was refused was a machine.
    await own.db.transaction((tx) => tx.insert(gateRefusals).values(refusal("automated")));
    await own.db.transaction((tx) => tx.insert(gateRefusals).values(refusal("param")));
    const [removed] = await own.db.transaction(async (tx) => {
      const count = (reason: "param" | "automated") =>
        tx
          .update(gateRefusals)
          .set({ total: 2 })
          .where(and(eq(gateRefusals.poolId, id), eq(gateRefusals.reason, reason)));
      await count("param");
      const removing = deletePool(deps(), "test", slug);
      await untilHeldUp(own.db, removing);
      await count("automated");
      await tx
        .insert(gateRefusals)
        .values({ ...refusal("param"), hour: new Date(NOW.getTime() + 3_600_000) });
      return [removing];
    });
    expect(await removed).toEqual({ kind: "deleted" });
    expect(await own.db.$count(gateRefusals, eq(gateRefusals.poolId, id))).toBe(0);
  });

  test("the list comes in pages that neither repeat nor skip", async () => {
    const all = await listPools(own.db, own.db.tables, { limit: 1_000 });
    expect(all.next_cursor).toBeNull();
    const seen: string[] = [];
    let cursor: number | undefined;
    do {
      const page = await listPools(own.db, own.db.tables, { cursor, limit: 2 });
      seen.push(...page.items.map(({ slug }) => slug));
      cursor = page.next_cursor === null ? undefined : Number(page.next_cursor);
    } while (cursor !== undefined);
    expect(seen).toEqual(all.items.map(({ slug }) => slug));
  });

  test("any accepted change reads back as it was asked for", async () => {
    const { slug } = await newPool({ meta_pixel_id: "1", meta_access_token: "t" });
    const someChange = fc.record(
      {
        name: fc.string({ unit: "binary", minLength: 1, maxLength: 30 }),
        enabled: fc.boolean(),
        strategy: fc.constantFrom("weighted", "round_robin", "least_used"),
        auto_continue_ms: fc.option(fc.integer({ min: 500, max: 60_000 })),
        capture_params: fc.uniqueArray(fc.stringMatching(/^[a-z~.]{1,8}$/), { maxLength: 4 }),
        meta_test_event_code: fc.option(fc.stringMatching(/^[A-Z0-9]{0,10}$/)),
        meta_cloaker_param_value: fc.option(fc.stringMatching(/^[a-z.~_-]{3,10}$/)),
        utmify_pixel_id: fc.option(fc.stringMatching(/^[a-f0-9]{0,24}$/)),
        block_automated: fc.boolean(),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(someChange, async (input) => {
        const parsed = parseInput(poolChangeSchema, input);
        if (parsed.kind === "invalid") return;
        const result = await updatePool(deps(), "test", slug, parsed.value);
        if (result.kind !== "updated" && result.kind !== "unchanged") throw new Error(result.kind);
        expect(result.pool).toMatchObject(parsed.value);
      }),
      { numRuns: 60 },
    );
  });

  test("pools are saved while visits count in them, and neither undoes the other", async () => {
    const { slug, id, bots } = await newPool();
    const [member] = await own.db
      .select()
      .from(own.db.tables.poolBots)
      .where(eq(own.db.tables.poolBots.poolId, id));
    const visits = Array.from({ length: 300 }, () => visitOf(id, member?.id ?? 0, member?.botId ?? 0));
    const count = async () => {
      for (const visit of visits) await writerOn(own.db).write([visit]);
    };
    const save = async () => {
      for (let weight = 2; weight < 102; weight++) {
        await change(slug, { bots: bots.map(({ username }) => ({ username, weight })) });
      }
    };
    await Promise.all([count(), save()]);
    expect(await findPool(own.db, own.db.tables, slug)).toMatchObject({
      total_redirects: visits.length,
      bots: [{ weight: 101 }],
    });
  });
});
