import { afterAll, afterEach, beforeAll, beforeEach, expect, type Mock, spyOn, test } from "bun:test";
import type { Database } from "../../src/db/database.ts";
import { commitWithRetry } from "../../src/outbox/commit-with-retry.ts";
import { createLog } from "../../src/platform/log.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";

let own: TestDatabase;
let sleep: Mock<typeof Bun.sleep>;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.dispose());
beforeEach(() => {
  sleep = spyOn(Bun, "sleep").mockResolvedValue();
});
afterEach(() => sleep.mockRestore());

const coded = (code: string) => Object.assign(new Error("the database failed"), { code });

/** Writes a result down in a database that fails so often; answers how often it was asked, and how that ended. */
async function write(failures: number, error: Error, signal = new AbortController().signal) {
  let asked = 0;
  const db: Database = {
    ...own.db,
    transaction: (work, durability) =>
      ++asked <= failures ? Promise.reject(error) : own.db.transaction(work, durability),
  };
  const result = await commitWithRetry({ db, log: createLog("silent"), signal }, async () => "written").catch(
    String,
  );
  return { asked, result };
}

test(`a result is kept for a database that is away for longer than it takes to fail eight times, on ${testDialect}`, async () => {
  const refused = coded("ECONNREFUSED");
  expect(await write(12, refused)).toEqual({ asked: 13, result: "written" });
  const pauses = sleep.mock.calls.map(([ms]) => Number(ms));
  expect(pauses.slice(0, 3)).toEqual([50, 100, 200]);
  expect(Math.max(...pauses)).toBe(3_200);
  expect(await write(12, refused, AbortSignal.abort())).toEqual({ asked: 8, result: String(refused) });
});

test("and given up after that for one that fails otherwise", async () => {
  const full = coded("SQLITE_FULL");
  expect(await write(12, full)).toEqual({ asked: 8, result: String(full) });
  expect(await write(7, full)).toEqual({ asked: 8, result: "written" });
});
