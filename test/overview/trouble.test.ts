import { expect, test } from "bun:test";
import { readFunnel } from "../../src/overview/funnel.ts";
import { routeNames } from "../../src/overview/route-names.ts";
import { readTrouble } from "../../src/overview/trouble.ts";
import { newId } from "../../src/platform/ids.ts";
import { createLog } from "../../src/platform/log.ts";
import { createRollups } from "../../src/rollups/rollups.ts";
import { createTestDatabase, testDialect } from "../support/database.ts";
import { addRows } from "../support/outbox.ts";

test(`what has no pool is called so, for who came without an ad counts with the bot's, on ${testDialect}`, async () => {
  const own = await createTestDatabase();
  const { funnelStates } = own.db.tables;
  const at = new Date();
  await addRows(own.db, 1, { route: "7", status: "dead" });
  await own.db.transaction((tx) =>
    tx.insert(funnelStates).values({ state: "checkout_started", dedupKey: newId(), createdAt: at }),
  );
  await createRollups({ db: own.db, log: createLog("silent") }).run();
  const { deadByPool } = await readTrouble(own.db, await routeNames(own.db));
  const { byPool } = await readFunnel(own.db, {
    fromMs: at.getTime() - 1,
    toMs: Date.now() + 1,
    unit: "minute",
  });
  expect([...deadByPool.map(({ pool }) => pool), ...byPool.map(({ name }) => name)]).toEqual([
    "no pool",
    "no pool",
  ]);
  await own.dispose();
});
