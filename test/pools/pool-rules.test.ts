import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { botDraftSchema } from "../../src/bots/bot-rules.ts";
import { parseInput } from "../../src/platform/parse-input.ts";
import { poolChangeSchema, poolDraftSchema } from "../../src/pools/pool-rules.ts";

const bots = [{ username: "shop_bot" }];

function pathsOf(input: object): string[] {
  const parsed = parseInput(poolDraftSchema, { slug: "summer", bots, ...input });
  return parsed.kind === "valid" ? [] : parsed.issues.map(({ path }) => path);
}

describe("a pool's rules", () => {
  test.each([
    [{ slug: "a" }],
    [{ slug: "0-summer-2024" }],
    [{ slug: "a".repeat(64) }],
    [{ name: "Verão ☀ & “frio”" }],
    [{ meta_pixel_id: "1234567890123456" }],
    [{ meta_test_event_code: "TEST12345" }],
    [{ meta_cloaker_param_name: "grim" }],
    [{ meta_cloaker_param_name: "utmost" }],
    [{ meta_cloaker_param_value: "a.b_c~d-1" }],
    [{ bots: [{ username: "@Shop_Bot", weight: 1000 }] }],
    [{ auto_continue_ms: null, locale: null }],
  ])("accept %j", (input) => {
    expect(pathsOf(input)).toEqual([]);
  });

  test.each<[object, string]>([
    [{ slug: "" }, "slug"],
    [{ slug: "Summer" }, "slug"],
    [{ slug: "a/b" }, "slug"],
    [{ slug: "a".repeat(65) }, "slug"],
    [{ name: " " }, "name"],
    [{ name: "a\u0000b" }, "name"],
    [{ meta_pixel_id: "12a" }, "meta_pixel_id"],
    [{ meta_pixel_id: 123 }, "meta_pixel_id"],
    [{ meta_access_token: "two words" }, "meta_access_token"],
    [{ meta_test_event_code: "a/b" }, "meta_test_event_code"],
    [{ meta_cloaker_param_name: "fbclid" }, "meta_cloaker_param_name"],
    [{ meta_cloaker_param_name: "UTM_source" }, "meta_cloaker_param_name"],
    [{ meta_cloaker_param_name: "a b" }, "meta_cloaker_param_name"],
    [{ meta_cloaker_param_value: "ab" }, "meta_cloaker_param_value"],
    [{ meta_cloaker_param_value: "a&b=c" }, "meta_cloaker_param_value"],
    [{ capture_params: ["utm_source"] }, "capture_params.0"],
    [{ auto_continue_ms: 10 }, "auto_continue_ms"],
    [{ strategy: "best" }, "strategy"],
    [{ bots: [] }, "bots"],
    [{ bots: [{ username: "shop_bot" }, { username: "@SHOP_BOT" }] }, "bots"],
    [{ bots: [{ username: "abc" }] }, "bots.0.username"],
    [{ bots: [{ username: "shop_bot", weight: 0 }] }, "bots.0.weight"],
    [{ bots: [{ username: "shop_bot", weight: 1.5 }] }, "bots.0.weight"],
    [{ colour: "red" }, "colour"],
  ])("refuse %j, naming the field", (input, path) => {
    expect(pathsOf(input)).toEqual([path]);
  });

  test("read nothing and null alike as 'clear it'", () => {
    for (const cleared of ["", "  ", null]) {
      expect(parseInput(poolChangeSchema, { meta_test_event_code: cleared })).toEqual({
        kind: "valid",
        value: { meta_test_event_code: null },
      });
    }
  });

  test("leave what was not named out of a change", () => {
    expect(parseInput(poolChangeSchema, {})).toEqual({ kind: "valid", value: {} });
  });
});

describe("a bot's rules", () => {
  test("strip the @ of its name", () => {
    expect(parseInput(botDraftSchema, { username: " @shop_bot " })).toEqual({
      kind: "valid",
      value: { username: "shop_bot" },
    });
  });

  test.each(["shop bot", "@@shop", "shopbot!", "a".repeat(33)])("refuse the name %j", (username) => {
    expect(parseInput(botDraftSchema, { username }).kind).toBe("invalid");
  });

  test.each(["nonsense", "12:ab cd", "12:ab\ncd", ":abc"])("refuse the token %j", (token) => {
    expect(parseInput(botDraftSchema, { username: "shop_bot", token }).kind).toBe("invalid");
  });
});

const anyField = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.stringMatching(/^@?[A-Za-z0-9_.~-]{0,40}$/),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.record({ username: fc.string(), weight: fc.integer() }, { requiredKeys: [] }), {
    maxLength: 3,
  }),
);

const fields = [...Object.keys(poolDraftSchema.shape), "__proto__", "other"];

describe("any input at all", () => {
  test("is answered with values or issues, never with an exception, and what is accepted is accepted again", () => {
    const anyInput = fc.oneof(fc.anything(), fc.dictionary(fc.constantFrom(...fields), anyField));
    fc.assert(
      fc.property(anyInput, (input) => {
        const parsed = parseInput(poolDraftSchema, input);
        if (parsed.kind === "invalid") return parsed.issues.length > 0;
        expect(parseInput(poolDraftSchema, parsed.value)).toEqual(parsed);
        return true;
      }),
      { numRuns: 1_000 },
    );
  });

  test("yields only slugs, parameters and names that stand in a link as they are", () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^@?[A-Za-z0-9_.~-]{0,70}$/));
    fc.assert(
      fc.property(text, text, text, text, (slug, name, value, username) => {
        const parsed = parseInput(poolDraftSchema, {
          slug,
          meta_cloaker_param_name: name,
          meta_cloaker_param_value: value,
          bots: [{ username }],
        });
        if (parsed.kind === "invalid") return;
        const { meta_cloaker_param_name, meta_cloaker_param_value } = parsed.value;
        const link = `https://x.example/go/${parsed.value.slug}?${meta_cloaker_param_name}=${meta_cloaker_param_value ?? ""}`;
        expect(new URL(link).href).toBe(link);
        expect(new URL(link).searchParams.size).toBe(1);
        expect(parsed.value.bots[0]?.username).toMatch(/^\w{5,32}$/);
      }),
      { numRuns: 1_000 },
    );
  });
});
