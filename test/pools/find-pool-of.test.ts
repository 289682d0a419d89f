import { expect, test } from "bun:test";
import { openDatabase } from "../../src/db/open.ts";
import { findPoolOf } from "../../src/pools/find-pool-of.ts";
import { findPool } from "../../src/pools/pool-view.ts";
import { createTestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { visitsOf, writerOn } from "../support/visits.ts";

const VISITS = 25;

test.skipIf(testDialect === "sqlite")(
  "visits of two processes count in a pool of which a sale is being written, and none waits crosswise",
  async () => {
    const { db, url, dispose } = await createTestDatabase();
    const other = await openDatabase({ url });
    const added = await addPool(db, { slug: "shop" });
    const visit = visitsOf(added);
    await db.transaction(async (tx) => {
      await findPoolOf(tx, db, { poolId: added.pool.id, botId: null });
      const count = async (at: typeof db) => {
        for (let n = 0; n < VISITS; n++) await writerOn(at).write([visit()]);
      };
      await Promise.all([db, db, other, other].map(count));
    });
    expect(await findPool(db, db.tables, "shop")).toMatchObject({ total_redirects: 4 * VISITS });
    await other.close();
    await dispose();
  },
  30_000,
);
