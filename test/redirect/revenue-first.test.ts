import { describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { QueueFullError } from "../../src/db/waiting-list.ts";
import type { Deps } from "../../src/deps.ts";
import { createLog } from "../../src/platform/log.ts";
import { createTestApp } from "../support/app.ts";
import { testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { startToken } from "../support/start-token.ts";

async function appWith(change: (deps: Deps) => Deps) {
  const own = await createTestApp({ RATE_LIMIT_PER_HOUR: "0" }, change);
  await addPool(own.db, { slug: "open" });
  await own.deps.pools.refresh();
  return own;
}

describe(`what breaks behind the page, on ${testDialect}`, () => {
  test("a page that cannot be rendered sends the visitor on to the bot, and the visit counts", async () => {
    const broken = {
      paramBuilderJs: "/assets/x.js",
      get bridgeJs(): string {
        throw new Error("no template");
      },
    };
    const own = await appWith((deps) => ({ ...deps, assets: { ...deps.assets, bridge: broken } }));
    const response = await own.request("/go/open?fbclid=Click");
    expect(response.status).toBe(302);
    const location = response.headers.get("location");
    const token = startToken(location);
    expect(location).toBe(`https://t.me/open_bot?start=${token}`);
    const { sessions } = own.db.tables;
    const rows = await own.db.select().from(sessions).where(eq(sessions.trackingToken, token));
    expect(rows).toMatchObject([{ fbclid: "Click", pageviewSent: true }]);
    expect(own.logLines.some(({ msg }) => msg?.includes("could not be rendered"))).toBe(true);
    await own.dispose();
  });

  test("a full queue answers 503 with Retry-After, and keeps nothing back", async () => {
    const own = await appWith((deps) => ({
      ...deps,
      recorder: { ...deps.recorder, record: () => Promise.reject(new QueueFullError(20_000)) },
    }));
    const response = await own.request("/go/open");
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await own.db.$count(own.db.tables.sessions)).toBe(0);
    await own.dispose();
  });

  test("where neither database nor disk takes the visit, the visitor still gets the page", async () => {
    const own = await appWith((deps) => ({
      ...deps,
      recorder: { ...deps.recorder, record: () => Promise.reject(new Error("disk full")) },
    }));
    const response = await own.request("/go/open");
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("https://t.me/open_bot?start=");
    expect(own.logLines.some(({ level, visit }) => level === 60 && visit !== undefined)).toBe(true);
    expect(own.deps.metrics.counted.visits).toMatchObject({ page: 1, committed: 0, spooled: 0, lost: 1 });
    await own.dispose();
  });

  test("a visit that only the disk takes is counted as spooled", async () => {
    const own = await appWith((deps) => ({
      ...deps,
      recorder: { ...deps.recorder, record: async () => "spooled" },
    }));
    expect((await own.request("/go/open")).status).toBe(200);
    expect(own.deps.metrics.counted.visits).toMatchObject({ page: 1, committed: 0, spooled: 1, lost: 0 });
    await own.dispose();
  });

  test("where the log does not take it either, too", async () => {
    const own = await appWith((deps) => ({
      ...deps,
      recorder: { ...deps.recorder, record: () => Promise.reject(new Error("disk full")) },
      log: createLog("fatal", {
        write() {
          throw new Error("disk full");
        },
      }),
    }));
    const response = await own.request("/go/open");
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("https://t.me/open_bot?start=");
    await own.dispose();
  });
});
