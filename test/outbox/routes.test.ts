import { expect, test } from "bun:test";
import { formatRoute, parseRoute } from "../../src/outbox/routes.ts";

test("a route names its pixel or its bot, and the lane where it has one, and is read as it was made", () => {
  for (const [route, account, lane] of [
    ["123", "123", null],
    ["123/TEST9", "123", "TEST9"],
    ["7/mercadopago", "7", "mercadopago"],
  ] as const) {
    expect(formatRoute(account, lane)).toBe(route);
    expect(parseRoute(route)).toEqual({ account, lane });
  }
  expect(formatRoute("123", "")).toBe("123");
});

test("what nobody sends by is read as a lane that nobody has", () => {
  expect(parseRoute("123/TEST9/more")).toEqual({ account: "123", lane: "TEST9/more" });
  expect(parseRoute("123/")).toEqual({ account: "123", lane: "" });
});
