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
  [{ currency: 986 }, "currency", "Invalid input: expected string, received number"],
])("of %j, %s is said to be wrong in plain words", (wrong, path, message) => {
  const given = { status: "paid", kind: "meta", currency: "BRL", ...wrong };
  expect(problemErrors(schema.safeParse(given).error?.issues ?? [])).toEqual([{ path, message }]);
});
