import { afterAll, beforeAll, expect, test } from "bun:test";
import { openSpool } from "../../src/db/spool/spool.ts";
import { DeadlineError } from "../../src/platform/deadline.ts";
import { createLog } from "../../src/platform/log.ts";
import { createReplay } from "../../src/redirect/replay-spool.ts";
import { encodeVisit } from "../../src/redirect/visit-json.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { visitsOf } from "../support/visits.ts";

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.dispose());

test("a database that hangs when a batch is brought in row by row ends the replay, and the visits stay", async () => {
  const visit = visitsOf(await addPool(own.db, { slug: "open" }));
  const spool = openSpool(":memory:");
  for (const one of [visit(), visit()]) spool.append([{ key: one.trackingToken, body: encodeVisit(one) }]);
  const { replay } = createReplay({
    db: own.db,
    spool,
    log: createLog("silent"),
    deadlineMs: 50,
    async write(visits) {
      if (visits.length === 1) return new Promise(() => undefined);
      throw Object.assign(new Error("a row's fault"), { code: "SQLITE_CONSTRAINT_NOTNULL" });
    },
    onBatch: async () => undefined,
  });
  await expect(replay()).rejects.toThrow(DeadlineError);
  expect(spool.counts()).toEqual({ waiting: 2, setAside: 0 });
  spool.close();
});

test("a visit that a damaged disk gave another key ends no replay, and is kept for a person", async () => {
  const visit = visitsOf(await addPool(own.db, { slug: "damaged" }));
  const [odd, sound] = [visit(), visit()];
  const spool = openSpool(":memory:");
  spool.append([
    { key: `0${odd.trackingToken.slice(1)}x`, body: encodeVisit(odd) },
    { key: sound.trackingToken, body: encodeVisit(sound) },
  ]);
  const written: string[] = [];
  let batches = 0;
  const { replay } = createReplay({
    db: own.db,
    spool,
    log: createLog("silent"),
    deadlineMs: 1_000,
    write: async (visits) => void written.push(...visits.map(({ trackingToken }) => trackingToken)),
    onBatch: async () => void batches++,
  });
  await replay(() => batches < 5);
  expect(written).toEqual([sound.trackingToken]);
  expect(spool.counts()).toEqual({ waiting: 0, setAside: 1 });
  spool.close();
});
