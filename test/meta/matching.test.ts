import { expect, test } from "bun:test";
import { hasMatchableKey } from "../../src/meta/matching.ts";

test.each(["em", "ph", "external_id", "fbc", "fbp", "client_ip_address"])(
  "%s alone is enough to match",
  (key) => {
    expect(hasMatchableKey({ [key]: "known" })).toBe(true);
  },
);

test("a first and a last name match together, and half a name or a user agent does not", () => {
  expect(hasMatchableKey({ fn: "known", ln: "known" })).toBe(true);
  for (const key of ["fn", "ln", "client_user_agent"])
    expect(hasMatchableKey({ [key]: "known" })).toBe(false);
});
