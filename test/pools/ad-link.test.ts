import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { adLink, FACEBOOK_UTM, unknownMacros, visitorLink } from "../../src/pools/ad-link.ts";

const gated = {
  slug: "summer",
  meta_cloaker_enabled: true,
  meta_cloaker_param_name: "grim",
  meta_cloaker_param_value: "k7Qx2",
  capture_params: ["ref"],
};
const config = { publicUrl: "https://go.example.com", port: 3000 };
/** With no other parameters than these. */
const linkWith = (pool: typeof gated, values: Readonly<Record<string, string>>) =>
  adLink(config, pool, (name) => values[name] ?? "").link;

describe("the link for ads", () => {
  test("carries the gate's parameter where the pool asks for it, and Facebook's macros with bare braces", () => {
    expect(linkWith(gated, FACEBOOK_UTM)).toBe(
      "https://go.example.com/go/summer?grim=k7Qx2&utm_source=facebook&utm_campaign={{campaign.name}}&utm_medium={{adset.name}}&utm_content={{ad.name}}&utm_term={{placement}}",
    );
    const open = { ...gated, meta_cloaker_enabled: false };
    expect(linkWith(open, { utm_source: "a b", utm_term: "" })).toBe(
      "https://go.example.com/go/summer?utm_source=a%20b",
    );
    expect(linkWith(open, {})).toBe("https://go.example.com/go/summer");
    expect(visitorLink({ publicUrl: undefined, port: 3000 }, open)).toBe("http://localhost:3000/go/summer");
  });

  test("gives every value back as it was typed, whatever stands in it", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        ...adLink(config, gated, () => null).macros,
        "{{",
        "}}",
        "&",
        "#",
        "=",
        "{{a&b}}",
        "{{#}}",
      ),
    );
    const value = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join("").toWellFormed().trim());
    fc.assert(
      fc.property(value, value, (campaign, ref) => {
        const values = { utm_campaign: campaign, ref };
        const url = new URL(linkWith(gated, values));
        expect(url.hash).toBe("");
        expect(Object.fromEntries(url.searchParams)).toEqual({
          grim: "k7Qx2",
          ...(campaign && { utm_campaign: campaign }),
          ...(ref && { ref }),
        });
      }),
    );
  });

  test("names the macros that Meta does not fill in", () => {
    expect(unknownMacros("{{campaign.name}}|{{campain.id}} {{ad.id}}{{AD.NAME}}")).toEqual([
      "{{campain.id}}",
      "{{AD.NAME}}",
    ]);
  });
});
