import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readUpdate } from "../../src/funnel/update.ts";
import {
  buttonUpdate,
  newUser,
  paidUpdate,
  preCheckoutUpdate,
  startUpdate,
} from "../support/telegram-updates.ts";

const user = newUser();

describe("reading an update", () => {
  test.each([
    ["a start", startUpdate(user, "token")],
    ["a button", buttonUpdate(user, "offer:1")],
    ["a query before payment", preCheckoutUpdate(user, "p", 100, "XTR")],
    ["a payment", paidUpdate(user, "p", 100, "XTR")],
    ["a kind of tomorrow", { update_id: 1, hologram: { id: [] } }],
    ["a kind that is not read, in whatever form", { update_id: 1, poll: 17 }],
  ])("takes %s as it came", (_, update) => {
    expect<unknown>(readUpdate(JSON.stringify(update))).toEqual({ kind: "update", update });
  });

  test.each([
    ["nothing", "", ""],
    ["no JSON", "{", ""],
    ["a list", "[]", ""],
    ["null", "null", ""],
    ["no update_id", "{}", "update_id"],
    ["an update_id that is text", '{"update_id":"1"}', "update_id"],
    ["an update_id beyond whole numbers", '{"update_id":1e300}', "update_id"],
    ["a message without a chat", '{"update_id":1,"message":{"message_id":1}}', "message.chat"],
    ["a button without a person", '{"update_id":1,"callback_query":{"id":"1"}}', "callback_query.from"],
    [
      "an amount with decimals",
      JSON.stringify(preCheckoutUpdate(user, "p", 1.5, "BRL")),
      "pre_checkout_query.total_amount",
    ],
  ])("refuses %s, naming the field", (_, text, path) => {
    const reading = readUpdate(text);
    if (reading.kind !== "malformed") throw new Error("it was taken");
    expect(reading.errors.map((error) => error.path)).toContain(path);
  });

  test("no text makes it throw, and what it takes has an update_id", () => {
    const near = fc.record(
      {
        update_id: fc.anything(),
        message: fc.oneof(fc.anything(), fc.record({ message_id: fc.anything(), chat: fc.anything() })),
        callback_query: fc.anything(),
        pre_checkout_query: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      near.map((value) => String(JSON.stringify(value, (_, v) => (typeof v === "bigint" ? `${v}` : v)))),
    );
    fc.assert(
      fc.property(text, (body) => {
        const reading = readUpdate(body);
        if (reading.kind === "update") expect(Number.isSafeInteger(reading.update.update_id)).toBe(true);
        else expect(reading.errors.length).toBeGreaterThan(0);
      }),
      { numRuns: 1_000 },
    );
  });
});
