import { expect, test } from "bun:test";
import postgres from "postgres";
import { openPool } from "../../../src/db/postgres/pool.ts";
import { createPostgresDatabase } from "../../support/database.ts";
import { until } from "../../support/until.ts";

const server = process.env.TEST_DATABASE_URL;

test("connections are renewed again only when those left behind are gone from the server, too", async () => {
  let nowMs = 0;
  let opened = 0;
  const pool = openPool(
    () => {
      opened++;
      return postgres("postgres://127.0.0.1:1/nowhere");
    },
    () => nowMs,
  );
  const renewedAt: number[] = [];
  for (; nowMs <= 150_000; nowMs += 5_000) if (pool.renew()) renewedAt.push(nowMs);
  expect(renewedAt).toEqual([0, 70_000, 140_000]);
  expect(opened).toBe(4);
  await pool.close();
});

test.skipIf(server === undefined)(
  "what waited for a connection when they were renewed is still done, and leaves none behind",
  async () => {
    const place = await createPostgresDatabase(server ?? "");
    const pool = openPool(() => postgres(place.url, { max: 2, connection: { application_name: "renewed" } }));
    const old = pool.client;
    const works = Array.from({ length: 8 }, () =>
      old.begin(async (tx) => {
        await tx`select 1`;
        await Bun.sleep(20);
      }),
    );
    expect(pool.renew()).toBe(true);
    await Promise.all(works);
    await until(async () => {
      const left = await pool.client`select 1 from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`;
      return left.length === 0;
    });
    await pool.close();
    await place.remove();
  },
);
