import { expect, test } from "bun:test";
import fc from "fast-check";
import { createScrubber, secretValues } from "../../src/platform/scrub.ts";

test("finds the secrets among environment variables by their names, and those inside of URLs", () => {
  const environment = {
    API_KEY: "key-0123456789",
    APP_SECRET: "secret-0123456789",
    SHOP_SECRETS: "one-0123456789,another-0123456789",
    OPERATOR_PASSWORD: "a long sentence",
    STRIPE_WEBHOOK_SECRET: "whsec_0123456789",
    DATABASE_URL: "postgres://ponte:p%40ss-word@db/ponte",
    DATABASE_DIRECT_URL: "postgres://ponte:slash/and#hash@at@db/ponte",
    REDIS_URL: "redis://localhost:6379?password=in-the-query&db=1",
    META_GRAPH_URL: "https://me:100%-sure@graph.example.com",
    PUBLIC_URL: "https://go.example.com",
    PORT: "3000",
    KEYBOARD: "br",
    EMPTY_KEY: undefined,
  };
  expect(secretValues(environment)).toEqual([
    "key-0123456789",
    "secret-0123456789",
    "one-0123456789,another-0123456789",
    "a long sentence",
    "whsec_0123456789",
    "p%40ss-word",
    "p@ss-word",
    "slash/and#hash@at",
    "slash/and#hash@at",
    "in-the-query",
    "100%-sure",
    "100%-sure",
    "",
  ]);
});

test("takes known values out of a line, however JSON or a URL writes them", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 6, unit: "grapheme" }),
      fc.string(),
      fc.string(),
      (secret, before, after) => {
        const scrub = createScrubber([secret]);
        const line = scrub(
          JSON.stringify({ msg: `${before} ${secret} ${after}`, url: encodeURIComponent(secret) }),
        );
        expect(line).toContain("[redacted]");
        // A secret that is a piece of the word which replaces it cannot be told from it.
        if ("[redacted]".includes(secret)) return;
        const { url } = JSON.parse(line.replaceAll("[redacted]", "-"));
        expect(url).toBe("-");
      },
    ),
  );
});

test("takes out a value with quotes, and nothing of a longer one that begins like another", () => {
  const scrub = createScrubber(["open sesame", 'open sesame "and more"']);
  expect(scrub(JSON.stringify({ msg: 'said open sesame "and more" twice' }))).toBe(
    '{"msg":"said [redacted] twice"}',
  );
});

test("leaves short values alone: they are words that stand there for other reasons", () => {
  expect(createScrubber(["demo", ""])('{"slug":"demo"}')).toBe('{"slug":"demo"}');
});

test.each([
  ["Meta's token", "?access_token=", `EAAB${"x".repeat(60)}`],
  ["Telegram's token", "/bot", "123456789:AAFh3-bIrn_0aVvU7mJk8WcQ1z2Y3x4w5v6"],
  ["an API key of ours", "key ", `ponte_${"aB3-_".repeat(8)}xyz`],
  ["a bearer's key", "Bearer ", "abc.def-ghi"],
  ["a bearer's key in small letters", "bearer ", "abc.def-ghi"],
])("takes out %s wherever it turns up", (_, before, secret) => {
  const line = createScrubber([])(
    JSON.stringify({ msg: `sent ${before}${secret}/getMe`, b: [before + secret] }),
  );
  expect(line).not.toContain(secret);
  expect(JSON.parse(line)).toBeDefined();
});

test("takes the password out of a URL, and leaves the rest of it", () => {
  const scrub = createScrubber([]);
  expect(scrub('"postgres://ponte:hunter2@db/ponte"')).toBe('"postgres://ponte:[redacted]@db/ponte"');
});

test("leaves an ordinary line as it is", () => {
  const line =
    '{"level":30,"time":"2026-11-24T02:06:11.985Z","route":"1111111111","events":3,"fbtraceId":"AHbTw1CyTZ556K9a0_NNemY","url":"https://go.example.com:443/go/open?fbclid=IwAR0abc","token":"0199aa0000007000800000000000abcd","msg":"[META RAW RESPONSE]"}';
  expect(createScrubber(["another-secret"])(line)).toBe(line);
});
