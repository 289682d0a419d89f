import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Answer, Verdict } from "../../src/outbox/destination.ts";
import { storable } from "../../src/outbox/storable.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addSendingPool, enqueueEvents, pageView, statusCounts, testDispatcher } from "../support/outbox.ts";

const ANSWER: Answer = { status: 200, code: 1, subcode: 2, fbtraceId: "A1", durationMs: 1, response: "{}" };
const GOOD: Verdict = { kind: "delivered", note: null, pauseMs: null };

describe("what a database takes", () => {
  test.each([
    ["nothing odd", "odd text", "odd text"],
    ["a zero byte", "odd\0 text", "odd text"],
    ["half a character", "odd \uD83D text", "odd \uFFFD text"],
    ["a whole one", "odd 😀 text", "odd 😀 text"],
    ["a book", "x".repeat(2_000_000), "x".repeat(16_384)],
    ["a book whose cut halves a character", `${"x".repeat(16_383)}😀`, `${"x".repeat(16_383)}\uFFFD`],
  ])("of %s in words, whoever says them", (_, said, kept) => {
    expect(storable({ verdict: { ...GOOD, note: said }, answer: null }).verdict).toMatchObject({
      note: kept,
    });
    const refusal: Verdict = { kind: "transient", reason: said, afterMs: 7 };
    const answer = { ...ANSWER, fbtraceId: said, response: said };
    expect(storable({ verdict: refusal, answer })).toEqual({
      verdict: { kind: "transient", reason: kept, afterMs: 7 },
      answer: { ...ANSWER, fbtraceId: kept, response: kept },
    });
  });

  test.each([
    [190, 190],
    [0, 0],
    [null, null],
    [-1, -1],
    [2 ** 31 - 1, 2 ** 31 - 1],
    [2 ** 31, null],
    [99_999_999_999, null],
    [-(2 ** 40), null],
  ])("of the code %p is %p", (said, kept) => {
    const { answer } = storable({ verdict: GOOD, answer: { ...ANSWER, code: said, subcode: said } });
    expect(answer).toEqual({ ...ANSWER, code: kept, subcode: kept });
  });
});

describe(`odd answers on ${testDialect}`, () => {
  let own: TestDatabase;
  beforeEach(async () => {
    own = await createTestDatabase();
    await addSendingPool(own.db, "one", "123");
    await enqueueEvents(own.db, "123", [pageView("a")]);
  });
  afterEach(() => own.dispose());

  /** Sends the event to a server that answers so; answers the row and its request as they were written down. */
  async function sendTo(status: number, body: object) {
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => Response.json(body, { status }),
    });
    const dispatcher = testDispatcher(own.db, `http://127.0.0.1:${server.port}`);
    await dispatcher.drain();
    await dispatcher.stop();
    const [row] = await own.db.select().from(own.db.tables.outbox);
    const [attempt] = await own.db.select().from(own.db.tables.outboxAttempts);
    return { row, attempt };
  }

  test("a note with a zero byte and half a character does not keep a delivery from being written down", async () => {
    const messages = ["odd \0 text \uD800"];
    const { row, attempt } = await sendTo(200, { events_received: 1, messages, fbtrace_id: "A\0" });
    expect(row).toMatchObject({
      status: "delivered",
      lastError: "odd  text \uFFFD",
      fbtraceId: "A",
    });
    expect(attempt).toMatchObject({ outcome: "delivered", events: 1 });
  });

  test("nor does a code that no column holds keep a refusal from it", async () => {
    const error = { message: "odd", code: 99_999_999_999, error_subcode: -99_999_999_999 };
    const { row, attempt } = await sendTo(400, { error });
    expect(await statusCounts(own.db)).toEqual({ dead: 1 });
    expect(row?.lastError).toContain("99999999999");
    expect(attempt).toMatchObject({ outcome: "invalid", code: null, subcode: null });
    expect(attempt?.response).toContain("99999999999");
  });
});
