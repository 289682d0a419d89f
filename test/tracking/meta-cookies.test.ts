import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  addressOfFbi,
  canonicalFbc,
  mergeCookies,
  newFbp,
  parseFbc,
  tidyFbi,
  validFbc,
  validFbp,
} from "../../src/tracking/meta-cookies.ts";

const clickId = fc.stringMatching(/^[A-Za-z0-9_-]{1,500}$/);
const createdMs = fc.integer({ min: 1_000_000_000_000, max: 4_000_000_000_000 });
const appendix = fc.option(fc.stringMatching(/^([A-Za-z0-9_-]{2}|[A-Za-z0-9_-]{8})$/));

describe("parseFbc", () => {
  test("takes every well-formed cookie apart, click id in its exact case", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), createdMs, clickId, appendix, (index, ms, id, extra) => {
        const value = `fb.${index}.${ms}.${id}${extra === null ? "" : `.${extra}`}`;
        expect(parseFbc(value)).toEqual({
          subdomainIndex: index,
          createdMs: ms,
          clickId: id,
          appendix: extra,
        });
      }),
    );
  });

  test("answers null or a faithful reading for any text whatever", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const parsed = parseFbc(text);
        if (parsed) expect(text).toStartWith(`fb.${parsed.subdomainIndex}.`);
        else expect(validFbc(text)).toBeNull();
      }),
    );
  });

  test.each([
    ["", "empty"],
    ["fb.1.1700000000000", "no value"],
    ["fb.1.1700000000000.", "empty value"],
    ["fb.x.1700000000000.abc", "index is no number"],
    ["fb.10.1700000000000.abc", "an index that no domain has"],
    ["fb.1.1700000000.abc", "seconds, not milliseconds"],
    ["fb.1.1700000000000000.abc", "microseconds"],
    ["fb.1.1700000000000.abc.toolongappendix", "appendix of another length"],
    ["fb.1.1700000000000.abc.AA.BB", "six parts"],
    ["xx.1.1700000000000.abc", "another prefix"],
    ["fb.1.1700000000000.a b", "a space"],
    ["fb.1.1700000000000.<script>", "markup"],
  ])("refuses %p (%s)", (value) => {
    expect(parseFbc(value)).toBeNull();
  });
});

describe("validFbp", () => {
  test.each([
    "fb.1.1596403881668.1116446470",
    "fb.2.1700000000000.861234567890123456",
    "fb.0.1700000000000.7.AQ",
    "fb.1.1700000000000.1116446470.AQYBAQAB",
  ])("keeps %p", (value) => {
    expect(validFbp(value)).toBe(value);
  });

  test.each([
    "fb.1.1700000000000.abc",
    "fb.1.1700000000.123",
    "fb.12.1700000000000.123",
    "fb.1.1700000000000.1.2",
  ])("refuses %p", (value) => {
    expect(validFbp(value)).toBeNull();
  });
});

describe("canonicalFbc", () => {
  const made = { subdomainIndex: 2, nowMs: 1_732_000_000_000 };
  const cookie = "fb.2.1600000000000.IwAR0AbC.AQ";

  test("keeps the browser's cookie, with its older time, when it names the same click", () => {
    expect(canonicalFbc([cookie], "IwAR0AbC", made)).toEqual({ fbc: cookie, fbcOrigin: "cookie" });
  });
  test("keeps the browser's cookie when the visit has no click id", () => {
    expect(canonicalFbc([cookie], null, made)).toEqual({ fbc: cookie, fbcOrigin: "cookie" });
  });
  test("of several cookies takes the oldest of this click, or the newest where there is no click", () => {
    const again = "fb.1.1610000000000.IwAR0AbC";
    const other = "fb.1.1620000000000.Other";
    const cookies = ["rubbish", other, again, cookie];
    expect(canonicalFbc(cookies, "IwAR0AbC", made).fbc).toBe(cookie);
    expect(canonicalFbc(cookies, "Other", made).fbc).toBe(other);
    expect(canonicalFbc(cookies, null, made).fbc).toBe(other);
    expect(canonicalFbc(cookies, "New", made).fbcOrigin).toBe("generated");
  });
  test("lets a new click win, and the case of its letters tells clicks apart", () => {
    expect(canonicalFbc([cookie], "IwAR0aBc", made)).toEqual({
      fbc: "fb.2.1732000000000.IwAR0aBc",
      fbcOrigin: "generated",
    });
  });
  test("never invents an fbc", () => {
    expect(canonicalFbc([], null, made)).toEqual({ fbc: null, fbcOrigin: null });
    expect(canonicalFbc(["rubbish"], null, made)).toEqual({ fbc: null, fbcOrigin: null });
    expect(canonicalFbc([], "not.a click", made)).toEqual({ fbc: null, fbcOrigin: null });
  });
  test("makes an fbc that comes apart again into the very click id", () => {
    fc.assert(
      fc.property(clickId, (id) => {
        const { fbc } = canonicalFbc([], id, made);
        expect(parseFbc(fbc ?? "")?.clickId).toBe(id);
      }),
    );
  });
});

const pageviewTs = new Date(1_700_000_000_000);

describe("mergeCookies", () => {
  const reported = fc.record(
    { fbp: fc.string(), fbc: createdMs.map((ms) => `fb.1.${ms}.click`), fbi: fc.string() },
    { requiredKeys: [] },
  );
  const known = fc.record({
    fbclid: fc.constantFrom(null, "click"),
    fbc: fc.option(fc.constantFrom("fb.1.1700000000000.click", "fb.1.1700000000000.other")),
    fbcOrigin: fc.constantFrom("cookie" as const, "generated" as const),
    fbp: fc.option(fc.string({ minLength: 1 })),
    fbi: fc.option(fc.string({ minLength: 1 })),
    pageviewTs: fc.constant(pageviewTs),
  });

  test("never erases, and the same report twice changes nothing more", () => {
    fc.assert(
      fc.property(known, reported, (facts, report) => {
        const once = mergeCookies(facts, report);
        for (const key of ["fbp", "fbc", "fbi"] as const) {
          if (facts[key] !== null) expect(once[key]).not.toBeNull();
        }
        expect(mergeCookies({ ...facts, ...once }, report)).toEqual(once);
      }),
    );
  });

  test("replaces a generated fbc by the browser's for the same click only", () => {
    const generated = {
      fbclid: "click",
      fbc: "fb.1.1700000000000.click",
      fbcOrigin: "generated" as const,
      fbp: null,
      fbi: null,
      pageviewTs,
    };
    expect(mergeCookies(generated, { fbc: "fb.2.1600000000000.click.AQ" })).toMatchObject({
      fbc: "fb.2.1600000000000.click.AQ",
      fbcOrigin: "cookie",
    });
    expect(mergeCookies(generated, { fbc: "fb.2.1600000000000.older" }).fbc).toBe(generated.fbc);
    const cookie = { ...generated, fbcOrigin: "cookie" as const };
    expect(mergeCookies(cookie, { fbc: "fb.2.1600000000000.click" }).fbc).toBe(cookie.fbc);
  });

  test("replaces an fbp that was made for the visit by the browser's, and no other", () => {
    const visit = { fbclid: null, fbc: null, fbcOrigin: null, fbi: null, pageviewTs };
    const made = newFbp({ subdomainIndex: 1, nowMs: pageviewTs.getTime() });
    const [own, older] = ["fb.1.1700000000345.42", "fb.1.1600000000000.42"];
    expect(mergeCookies({ ...visit, fbp: made }, { fbp: own }).fbp).toBe(own);
    expect(mergeCookies({ ...visit, fbp: made }, { fbp: `${made}.AQYBAQMB` }).fbp).toBe(`${made}.AQYBAQMB`);
    expect(mergeCookies({ ...visit, fbp: made }, {}).fbp).toBe(made);
    expect(mergeCookies({ ...visit, fbp: older }, { fbp: own }).fbp).toBe(older);
  });
});

test("browsers that are given an fbp in the same millisecond are told apart", () => {
  const made = Array.from({ length: 100 }, () => newFbp({ subdomainIndex: 1, nowMs: pageviewTs.getTime() }));
  expect(new Set(made).size).toBeGreaterThan(90);
  for (const fbp of made) expect(validFbp(fbp)).toBe(fbp);
});

test("an older click's cookie is not the fbc of a click that could have none", () => {
  const dotted = { fbclid: "a.b", fbc: null, fbcOrigin: null, fbp: null, fbi: null, pageviewTs };
  expect(mergeCookies(dotted, { fbc: "fb.1.1600000000000.older" }).fbc).toBeNull();
  expect(mergeCookies({ ...dotted, fbclid: null }, { fbc: "fb.1.1600000000000.older" }).fbc).not.toBeNull();
});

describe("tidyFbi", () => {
  test.each([
    ["203.0.113.7", "203.0.113.7"],
    ["203.0.113.7.AQ", "203.0.113.7.AQ"],
    ["203.0.113.9.AQYCAQMB.AQYCAQMB.AQYCAQMB", "203.0.113.9.AQYCAQMB"],
    ["2001:db8::1.AQ.AQYCAQMB", "2001:db8::1.AQYCAQMB"],
    ["AQYCAQMB", null],
  ])("keeps one appendix of %p", (fbi, tidy) => {
    expect(tidyFbi(fbi)).toBe(tidy);
  });

  test("answers null or an address with at most one appendix for any text whatever", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), fc.array(fc.string()), (start, rest) => {
        const tidy = tidyFbi([start, ...rest].join("."));
        if (tidy !== null) expect(tidyFbi(tidy)).toBe(tidy);
        expect(tidy === null ? null : addressOfFbi(tidy)).toBe(addressOfFbi([start, ...rest].join(".")));
      }),
    );
  });
});

describe("addressOfFbi", () => {
  test.each([
    ["203.0.113.7", "203.0.113.7"],
    ["203.0.113.7.AQ", "203.0.113.7"],
    ["2001:db8::1.AQYCAQMB", "2001:db8::1"],
    ["2001:db8::1", "2001:db8::1"],
    ["203.0.113.9.AQYCAQMB.AQYCAQMB", "203.0.113.9"],
    ["203.0.113.9.AQYCAQMB.AQYCAQMB.AQYCAQMB", "203.0.113.9"],
    ["2001:db8::1.AQYCAQMB.AQYCAQMB", "2001:db8::1"],
    ["203.0.113.9.99", "203.0.113.9"],
    ["203.0.113.9.appendix-too-long", null],
    ["203.0.113.9.AQ.", null],
    [".AQ.AQ", null],
    ["", null],
    ["AQ", null],
    ["300.1.1.1.AQ", null],
    ["<img>.AQ", null],
  ])("finds the address in %p", (fbi, address) => {
    expect(addressOfFbi(fbi)).toBe(address);
  });
});
