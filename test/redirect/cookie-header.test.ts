import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { cookieValues } from "../../src/redirect/cookie-header.ts";

const asSent = (value: string) => value;

describe("cookieValues", () => {
  test.each([
    [null, []],
    ["", []],
    ["_fbp=1", []],
    ["_fbc=1", ["1"]],
    ["a=b; _fbc=1;_fbc=2 ; c", ["1", "2"]],
    ["x_fbc=1; _fbcx=2; _fbc", []],
    ["_fbc=a=b", ["a=b"]],
    ["_fbc=", [""]],
    [";;=;_fbc=1;=", ["1"]],
  ])("of %p are %p", (header, values) => {
    expect(cookieValues(header, "_fbc", asSent)).toEqual(values);
  });

  test("what the form refuses is left out", () => {
    expect(cookieValues("n=1; n=x; n=2", "n", (value) => (value === "x" ? null : value))).toEqual(["1", "2"]);
  });

  test("every value that a browser may send is found again, in order, whatever stands around it", () => {
    const value = fc.stringMatching(/^[!#-+\--:<-[\]-~]{0,40}$/);
    const pair = fc.record({ name: fc.constantFrom("_fbc", "_fbp", "_fbc2", "x"), value });
    fc.assert(
      fc.property(fc.array(pair), (pairs) => {
        const header = pairs.map(({ name, value }) => `${name}=${value}`).join("; ");
        const expected = pairs.filter(({ name }) => name === "_fbc").map(({ value }) => value);
        expect(cookieValues(header, "_fbc", asSent)).toEqual(expected);
      }),
    );
  });

  test("no header whatever makes it fail", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (header, name) => {
        for (const value of cookieValues(header, name, asSent)) expect(header).toContain(value);
      }),
    );
  });
});
