import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq, inArray } from "drizzle-orm";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { startServer } from "../support/server.ts";
import { startToken } from "../support/start-token.ts";
import { until } from "../support/until.ts";

const CLIENTS = 16;
const ROUNDS = 3;

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
  await addPool(own.db, { slug: "open" });
});
afterAll(() => own.dispose());

/** Visits without a pause until the server is gone; the tokens of the pages that arrived whole. */
async function visitUntilGone(url: string, acknowledged: string[], client: number): Promise<void> {
  for (let i = 0; ; i++) {
    try {
      const page = await fetch(`${url}/go/open?fbclid=client${client}n${i}`);
      const token = startToken(await page.text());
      if (token) acknowledged.push(token);
    } catch {
      return;
    }
  }
}

/** The tokens that have no session row, or no PageView. */
async function missing(acknowledged: readonly string[]): Promise<string[]> {
  const { sessions, outbox } = own.db.tables;
  const recorded = await own.db
    .select({ token: sessions.trackingToken })
    .from(sessions)
    .innerJoin(outbox, eq(outbox.trackingToken, sessions.trackingToken))
    .where(inArray(sessions.trackingToken, [...acknowledged]));
  const there = new Set(recorded.map(({ token }) => token));
  return acknowledged.filter((token) => !there.has(token));
}

describe(`a server that ends under load, on ${testDialect}`, () => {
  test("kill -9: every visit that was answered is in the database, with its PageView", async () => {
    const acknowledged: string[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      const server = await startServer(own.url, { ROLE: "web" });
      const before = acknowledged.length;
      const clients = Array.from({ length: CLIENTS }, (_, i) => visitUntilGone(server.url, acknowledged, i));
      await until(() => acknowledged.length >= before + 100 * round, 1);
      await server.kill();
      await Promise.all(clients);
    }
    expect(await missing(acknowledged)).toEqual([]);
    expect(acknowledged.length).toBeGreaterThanOrEqual(600);
  }, 60_000);

  test("SIGTERM: requests and commits are finished, and the process ends well", async () => {
    const acknowledged: string[] = [];
    const server = await startServer(own.url);
    const clients = Array.from({ length: CLIENTS }, (_, i) => visitUntilGone(server.url, acknowledged, i));
    await until(() => acknowledged.length >= 200, 1);
    expect(await server.stop()).toBe(0);
    await Promise.all(clients);
    expect(await missing(acknowledged)).toEqual([]);
  }, 60_000);

  test("SIGTERM: a client that never finishes its request does not keep the process from ending well", async () => {
    const server = await startServer(own.url);
    const { port } = new URL(server.url);
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port: Number(port),
      socket: { data: () => undefined },
    });
    socket.write("POST /api/tracking/cookies HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
    socket.flush();
    // A request that came after it was answered, so the server has read this one.
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(await server.stop()).toBe(0);
    socket.end();
  }, 60_000);
});
