import { expect, test } from "bun:test";
import { z } from "zod";
import { problemErrors } from "../../src/platform/problem.ts";

const schema = z.strictObject({
  status: z.enum(["paid", "refunded"]),
  kind: z.literal("meta"),
  currency: z.string().regex(/^[A-Z]{3}$/, "must be an ISO 4217 code such as BRL"),
});

test.each([
  [{ status: "payed" }, "status", "one of paid, refunded"],
  [{ status: undefined }, "status", "one of paid, refunded"],
  [{ kind: "telegram" }, "kind", "one of meta"],
  [{ currency: undefined }, "currency", "is missing"],
  [{ currency: "reais" }, "currency", "must be an ISO 4217 code such as BRL"],
  [{ currency: 986 }, "currency", "must be a string"],
  [{ colour: "red" }, "colour", "unknown field"],
])("of %j, %s is said to be wrong in plain words", (wrong, path, message) => {
  const given = { status: "paid", kind: "meta", currency: "BRL", ...wrong };
  expect(problemErrors(schema.safeParse(given).error?.issues ?? [])).toEqual([{ path, message }]);
});

test("each unknown field is named, with where it stands", () => {
  const nested = z.strictObject({ bots: z.array(schema.partial()) });
  const given = { bots: [{}, { colour: "red", size: 4 }] };
  const unknown = { message: "unknown field" };
  expect(problemErrors(nested.safeParse(given).error?.issues ?? [])).toEqual([
    { path: "bots.1.colour", ...unknown },
    { path: "bots.1.size", ...unknown },
  ]);
});
