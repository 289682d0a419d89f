import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { changeRoute } from "../../src/outbox/change-route.ts";
import { resumeSealed } from "../../src/outbox/resume-sealed.ts";
import { createLog } from "../../src/platform/log.ts";
import { OTHER_SECRET } from "../../src/platform/secrets.ts";
import { createTestDatabase, testDialect } from "../support/database.ts";
import { until } from "../support/until.ts";

test(`a token's route goes again once the database, away at the start, is back, on ${testDialect}`, async () => {
  const own = await createTestDatabase();
  const { db } = own;
  const { outboxRoutes } = db.tables;
  const rename = (from: string, to: string) =>
    db.transaction((tx) => tx.rows(sql.raw(`alter table ${from} rename to ${to}`)));
  await db.transaction((tx) =>
    changeRoute(
      tx,
      db,
      { destination: "meta", route: "777" },
      { kind: "paused", reason: `cannot be opened: ${OTHER_SECRET}`, by: "refusal" },
    ),
  );
  await rename("outbox_routes", "outbox_routes_away");
  const stopping = new AbortController();
  await resumeSealed({ db, log: createLog("silent"), stopping: stopping.signal });
  await rename("outbox_routes_away", "outbox_routes");
  const paused = async () => (await db.select().from(outboxRoutes)).flatMap(({ pausedAt }) => pausedAt ?? []);
  expect(await paused()).toHaveLength(1);
  await until(async () => (await paused()).length === 0);
  stopping.abort();
  await own.dispose();
}, 30_000);
