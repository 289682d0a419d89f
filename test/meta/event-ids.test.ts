import { expect, test } from "bun:test";
import {
  checkoutId,
  deliveryId,
  leadId,
  pageViewId,
  parseEventId,
  purchaseId,
} from "../../src/meta/event-ids.ts";

const ID = "0196b9c01d2a7f3e8c4d5e6f7a8b9c0d";

test("an event's id says whose it is", () => {
  for (const idOf of [pageViewId, leadId]) expect(parseEventId(idOf(ID))).toEqual({ of: "visit", id: ID });
  for (const idOf of [checkoutId, purchaseId, deliveryId])
    expect(parseEventId(idOf(ID))).toEqual({ of: "payment", id: ID });
});

test("any other text says nothing", () => {
  for (const text of [
    "",
    ID,
    `test_${ID}`,
    "lead_user_7",
    "evt_",
    `evt_${ID}0`,
    `x_evt_${ID}`,
    `checkout_${ID}_7`,
  ])
    expect([text, parseEventId(text)]).toEqual([text, null]);
});
