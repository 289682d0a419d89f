import { afterAll, afterEach, beforeAll, beforeEach } from "bun:test";
import { sql } from "drizzle-orm";
import { type RunningSandbox, startSandbox } from "../../src/sandbox/app.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addSendingPool, pageView, testDispatcher } from "../support/outbox.ts";
import { addFault, askSandbox, clearFaults } from "../support/sandbox.ts";

/** The pixel of the one pool that there is, and one that no pool has yet. */
export const PIXEL = "1111111111";
export const OTHER = "2222222222";

/** So many PageViews, `e0` first. */
export const events = (n: number, prefix = "e") =>
  Array.from({ length: n }, (_, i) => pageView(`${prefix}${i}`));

/**
 * What a file needs whose tests let dispatchers send: a sandbox as Meta for all of them, without faults and without what
 * it received before, and for each a database of its own.
 */
export function useDispatchers() {
  let sandbox: RunningSandbox;
  let own: TestDatabase;
  beforeAll(async () => {
    sandbox = await startSandbox();
  });
  afterAll(() => sandbox.stop());
  beforeEach(async () => {
    own = await createTestDatabase();
    await addSendingPool(own.db, "one", PIXEL);
    await askSandbox(sandbox, "DELETE", "/events");
    await askSandbox(sandbox, "DELETE", "/requests");
  });
  afterEach(async () => {
    await clearFaults(sandbox, "meta");
    await own.dispose();
  });
  return {
    /** This test's database. */
    own: {
      get db() {
        return own.db;
      },
      get url() {
        return own.url;
      },
    },
    /** One that sends to the sandbox. */
    dispatcher: (db = own.db) => testDispatcher(db, sandbox.url),
    fault: (body: object) => addFault(sandbox, "meta", body),
    /** The events that Meta took. */
    received: () => sandbox.events.list().map((entry) => ({ ...entry })),
    /** The requests that Meta was sent. */
    posts: () =>
      sandbox.requests.items().filter(({ method, path }) => method === "POST" && path.endsWith("/events")),
    attempts: () =>
      own.db.select().from(own.db.tables.outboxAttempts).orderBy(own.db.tables.outboxAttempts.id),
    /** Puts another payload in an event's place, as a version that judged otherwise may have left it. */
    store: (eventId: string, payload: object) =>
      own.db.transaction((tx) => {
        const text = JSON.stringify(payload);
        return tx.rows(
          testDialect === "postgres"
            ? sql`update outbox set payload = ${text}::json where event_id = ${eventId} returning id`
            : sql`update outbox set payload = ${text} where event_id = ${eventId} returning id`,
        );
      }),
  };
}
