import { expect, test } from "bun:test";
import { showsPage } from "../../src/redirect/accept-visit.ts";
import { parseQuery } from "../../src/redirect/query.ts";

const PIXELS = {
  "Meta's pixel": { metaPixelId: "123", utmifyPixelId: null },
  "UTMify's pixel": { metaPixelId: null, utmifyPixelId: "456" },
  "no pixel": { metaPixelId: null, utmifyPixelId: null },
};

test.each([
  ["", "drop", "Meta's pixel", true],
  ["", "drop", "UTMify's pixel", true],
  ["", "drop", "no pixel", false],
  ["consent=denied", "drop", "Meta's pixel", false],
  ["consent=denied", "ldu", "Meta's pixel", true],
  ["consent=denied", "ldu", "UTMify's pixel", false],
  ["consent=denied", "ldu", "no pixel", false],
] as const)(
  "a visit with %p, by the setting %p and with %s, meets a page: %p",
  (query, denied, pixel, shows) => {
    expect(showsPage(PIXELS[pixel], parseQuery(query), denied)).toBe(shows);
  },
);
