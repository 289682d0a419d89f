import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import { CLOCK } from "../../src/outbox/clock-leap.ts";
import { createUpkeep } from "../../src/outbox/upkeep.ts";
import { createLog } from "../../src/platform/log.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { until } from "../support/until.ts";

let own: TestDatabase;
beforeEach(async () => {
  own = await createTestDatabase();
});
afterEach(() => own.dispose());

/** An upkeep, what it said, and what its dispatcher knows. */
function upkeepOf(renewLeases: () => Promise<unknown>, db: Database = own.db) {
  const state = { isStopping: false, isAway: false };
  const said: string[] = [];
  const log = createLog("warn", { write: (line) => void said.push(JSON.parse(line).msg) });
  const isAway = () => state.isAway;
  const isStopping = () => state.isStopping;
  return { state, said, upkeep: createUpkeep({ db, log, renewLeases, isAway, isStopping }) };
}

const signs = () => own.db.$count(own.db.tables.dispatchers);
const looksAtClock = () => own.db.$count(own.db.tables.settings, eq(own.db.tables.settings.key, CLOCK));
const pauses = () =>
  own.db.$count(own.db.tables.outboxRoutes, sql`${own.db.tables.outboxRoutes.throttledUntil} is not null`);

/** A pause of a year, as a clock that was ahead writes it. */
function pauseForAYear() {
  const { now, plusMs } = own.db.dialect;
  const times = { throttledUntil: sql<Date>`${plusMs(now, 365 * 86_400_000)}`, updatedAt: sql<Date>`${now}` };
  return own.db.transaction((tx) =>
    tx.insert(own.db.tables.outboxRoutes).values({ destination: "meta", route: "1", ...times }),
  );
}

describe(`what a dispatcher does beside sending, on ${testDialect}`, () => {
  test("one part of it that fails keeps none of the others, and is told of unless the database is known to be away", async () => {
    const failed = "this dispatcher's leases could not be renewed";
    for (const isAway of [false, true]) {
      await pauseForAYear();
      const { upkeep, state, said } = upkeepOf(() => Promise.reject(new Error("the database is restarting")));
      state.isAway = isAway;
      upkeep.start();
      await until(async () => (await pauses()) === 0);
      expect([await signs(), await looksAtClock()]).toEqual([1, 1]);
      await upkeep.stop();
      // Its schedule may have come round meanwhile.
      expect(new Set(said)).toEqual(new Set(isAway ? [] : [failed]));
      expect(await signs()).toBe(0);
      await own.db.transaction((tx) => tx.delete(own.db.tables.outboxRoutes));
    }
  });

  test("a stop waits for the part in hand, and begins no other", async () => {
    const renewed = Promise.withResolvers<void>();
    const { upkeep, state } = upkeepOf(() => renewed.promise);
    upkeep.start();
    state.isStopping = true;
    const stopped = upkeep.stop();
    renewed.resolve();
    await stopped;
    expect([await signs(), await looksAtClock()]).toEqual([0, 0]);
  });

  test("a database that never answers keeps no dispatcher from stopping, and the log says what was left", async () => {
    const silent: Database = { ...own.db, transaction: () => new Promise(() => undefined) };
    const { upkeep, said } = upkeepOf(async () => undefined, silent);
    await upkeep.stop();
    expect(said).toEqual(["the sign of life could not be withdrawn"]);
  });
});
