import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { createLog } from "../../src/platform/log.ts";
import type { Pool } from "../../src/pools/pool.ts";
import { openPoolCache, type PoolCache } from "../../src/pools/pool-cache.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { until } from "../support/until.ts";

const log = createLog("silent");

let own: TestDatabase;
let pools: PoolCache;
let saved: (readonly Pool[])[];
beforeEach(async () => {
  own = await createTestDatabase();
  await addPool(own.db, { slug: "open" }, [
    { username: "one_bot", weight: 1 },
    { username: "two_bot", weight: 1 },
  ]);
  await addPool(own.db, { slug: "other" });
  saved = [];
  const snapshot = { load: () => [], save: (all: readonly Pool[]) => void saved.push(all) };
  pools = await openPoolCache({ db: own.db, snapshot, log });
});
afterEach(async () => {
  pools.close();
  await own.dispose();
});

/** A statement as an operator types it: no time stamp changes, nobody is notified. */
async function typed(statement: ReturnType<typeof sql>): Promise<void> {
  await own.db.transaction(async (tx) => void (await tx.rows(statement)));
}

const weights = () => pools.get("open")?.bots.map(({ username, weight }) => [username, weight]);

describe(`the pool cache on ${testDialect}`, () => {
  test("sees what was changed in SQL alone: weights, memberships, settings", async () => {
    await typed(
      sql`update pool_bots set weight = 9 where bot_id = (select id from bots where username = 'one_bot') returning id`,
    );
    await pools.refresh();
    expect(weights()).toEqual([
      ["one_bot", 9],
      ["two_bot", 1],
    ]);

    await typed(
      sql`update pool_bots set enabled = (1 = 0) where bot_id = (select id from bots where username = 'two_bot') returning id`,
    );
    await pools.refresh();
    expect(weights()).toEqual([["one_bot", 9]]);

    await typed(sql`update bots set username = 'new_bot' where username = 'one_bot' returning id`);
    await pools.refresh();
    expect(weights()).toEqual([["new_bot", 9]]);

    await typed(sql`update pools set meta_pixel_id = '999' where slug = 'open' returning id`);
    await pools.refresh();
    expect(pools.get("open")?.metaPixelId).toBe("999");

    await typed(sql`update pools set enabled = (1 = 0) where slug = 'open' returning id`);
    await pools.refresh();
    expect(pools.get("open")).toBeUndefined();
  });

  test("notices it by itself", async () => {
    await typed(
      sql`update pool_bots set weight = 9 where bot_id = (select id from bots where username = 'one_bot') returning id`,
    );
    await until(() => pools.get("open")?.bots[0]?.weight === 9);
    expect(weights()).toEqual([
      ["one_bot", 9],
      ["two_bot", 1],
    ]);
  });

  test("a pool that did not change stays the same object, however many redirects it counts", async () => {
    const [open, other] = [pools.get("open"), pools.get("other")];
    await typed(sql`update pool_bots set total_redirects = 7 returning id`);
    await typed(sql`update pools set name = 'New' where slug = 'open' returning id`);
    await pools.refresh();
    expect(pools.get("other")).toBe(other);
    expect(pools.get("open")).not.toBe(open);
    expect(pools.get("open")?.name).toBe("New");
  });

  test("the snapshot is written when something changed, and only then", async () => {
    expect(saved).toHaveLength(1);
    await pools.refresh();
    expect(saved).toHaveLength(1);
    await typed(sql`update pools set name = 'New' where slug = 'open' returning id`);
    await pools.refresh();
    expect(saved).toHaveLength(2);
  });
});
