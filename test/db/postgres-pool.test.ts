import { expect, test } from "bun:test";
import postgres from "postgres";
import { openPool } from "../../src/db/postgres-pool.ts";

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
