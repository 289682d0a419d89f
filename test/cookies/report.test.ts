import { expect, test } from "bun:test";
import fc from "fast-check";
import { readReport } from "../../src/cookies/report.ts";
import { addressOfFbi, validFbc, validFbp } from "../../src/tracking/meta-cookies.ts";

const token = "0123456789abcdef0123456789abcdef";
const odd = fc.oneof(fc.string({ unit: "binary" }), fc.jsonValue(), fc.constant(undefined));
const metaCookie = (value: RegExp) =>
  fc
    .tuple(fc.nat(3), fc.integer({ min: 1e12, max: 4e12 }), fc.stringMatching(value))
    .map((parts) => `fb.${parts.join(".")}`);
const fbpCookie = metaCookie(/^\d{1,18}$/);
const fbcCookie = metaCookie(/^[A-Za-z0-9_-]{1,100}$/);

test("whatever is sent, only sound values are kept, and every other is named", () => {
  const field = fc.oneof(odd, fbpCookie, fbcCookie, fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(fc.record({ _fbp: field, _fbc: field, _fbi: field }), (fields) => {
      const { report, errors } = readReport({ tracking_token: token, ...fields });
      expect(report?.trackingToken).toBe(token);
      const { fbp, fbc, fbi } = report?.report ?? {};
      if (fbp !== undefined) expect(validFbp(fbp)).toBe(fbp);
      if (fbc !== undefined) expect(validFbc(fbc)).toBe(fbc);
      if (fbi !== undefined) expect(addressOfFbi(fbi)).not.toBeNull();
      const said = Object.values(fields).filter(
        (value) => value !== undefined && value !== null && value !== "",
      );
      const kept = [fbp, fbc, fbi].filter((value) => value !== undefined);
      expect(kept.length + errors.length).toBe(said.length);
    }),
  );
});

test("a cookie of Meta's form is kept as it is", () => {
  fc.assert(
    fc.property(fbpCookie, fbcCookie, (_fbp, _fbc) => {
      const { report, errors } = readReport({ tracking_token: token, _fbp, _fbc });
      expect(report?.report).toMatchObject({ fbp: _fbp, fbc: _fbc });
      expect(errors).toEqual([]);
    }),
  );
});

test("without a token in its form there is no report, and the error says so", () => {
  fc.assert(
    fc.property(odd, odd, (body, tracking_token) => {
      for (const given of [body, { tracking_token }]) {
        const { report, errors } = readReport(given);
        expect(report).toBeNull();
        expect(errors.length).toBeGreaterThan(0);
      }
    }),
  );
});
