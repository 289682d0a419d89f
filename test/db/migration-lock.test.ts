import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { migratePostgres } from "../../src/db/postgres/migrate.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { untilHeldUp } from "../support/until-held-up.ts";

describe.skipIf(testDialect === "sqlite")(
  "migrations of Postgres while another session has their lock",
  () => {
    let own: TestDatabase;
    let holder: postgres.Sql;
    beforeEach(async () => {
      own = await createTestDatabase();
      holder = postgres(own.url, { max: 1, onnotice: () => undefined });
      await holder`select pg_advisory_lock(7066838301)`;
    });
    afterEach(async () => {
      await holder.end();
      await own.dispose();
    });

    const forgetViews = () => holder`delete from settings where key = 'views_digest'`;

    test("take no lock where nothing is missing", async () => {
      await expect(own.db.migrate()).resolves.toBeUndefined();
    });

    test("give up after a while, saying who is in the way", async () => {
      await forgetViews();
      const client = postgres(own.url, { max: 1, onnotice: () => undefined });
      await expect(migratePostgres(client, 300)).rejects.toThrow(
        "another session has held the lock for migrations",
      );
      await client.end();
    }, 60_000);

    test("are made again where the server gave them up for somebody who reads crosswise", async () => {
      await forgetViews();
      await holder`select pg_advisory_unlock_all()`;
      const [migrating] = await holder.begin(async (tx) => {
        // So that it is not this one which is given up.
        await tx`set local deadlock_timeout = '1h'`;
        await tx`select 1 from pool_performance limit 1`;
        const migrating = own.db.migrate();
        await untilHeldUp(own.db, migrating);
        await tx`select 1 from outbox_status limit 1`;
        // In a list: awaited after the end that it waits for.
        return [migrating];
      });
      await migrating;
      expect(await holder`select 1 from settings where key = 'views_digest'`).toHaveLength(1);
    }, 60_000);

    test("do not keep a start from serving visitors, and are made when the lock is free", async () => {
      const dataDir = mkdtempSync(join(tmpdir(), "ponte-lock-"));
      await addPool(own.db, { slug: "open" });
      await forgetViews();
      const server = await startServer(own.url, {}, { dataDir });
      const page = await fetch(`${server.url}/go/open?fbclid=AbC`);
      expect([page.status, await page.text()]).toEqual([200, expect.stringContaining("?start=")]);
      await holder`select pg_advisory_unlock_all()`;
      await until(async () => (await holder`select 1 from settings where key = 'views_digest'`).length > 0);
      expect(await server.stop()).toBe(0);
      rmSync(dataDir, { recursive: true });
    }, 60_000);
  },
);
