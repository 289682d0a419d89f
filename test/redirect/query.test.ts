import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseQuery } from "../../src/redirect/query.ts";

/** Whatever a client may send, with the characters that mean something made likely. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom("&", "=", "+", "%", "%20", "%C3%A9", "%ff", "%0", "a", "utm_source", "?", "#", ";"),
      fc.string(),
    ),
  )
  .map((parts) => parts.join("").toWellFormed());

test("a query is read exactly as the platform reads it", () => {
  fc.assert(
    fc.property(text, (query) => {
      const expected = new Map<string, string>();
      // A "?" in front would be dropped by the platform; here it has been already.
      for (const [name, value] of new URLSearchParams(`?${query}`)) {
        if (!expected.has(name)) expected.set(name, value);
      }
      const read = parseQuery(query);
      for (const [name, value] of expected) expect(read.get(name)).toBe(value);
      for (const name of ["a", "utm_source", "", query]) expect(read.get(name)).toBe(expected.get(name));
    }),
    { numRuns: 2_000 },
  );
});
