import { expect, test } from "bun:test";
import { urlOf } from "../../src/platform/request-url.ts";

test.each([
  ["https://a.example:8443/ops/keys?next=%2F#top", "https://a.example:8443/ops/keys?next=%2F#top"],
  ["/ops/visitors?q=http://b.example/x", "http://nobody.invalid/ops/visitors?q=http://b.example/x"],
  ["//ops", "http://nobody.invalid//ops"],
  ["http://[::/ops?q=1", "http://nobody.invalid/ops?q=1"],
  ["http://a:99999999/ops", "http://nobody.invalid/ops"],
])("what Bun calls %s is read as %s", (url, expected) => {
  expect(urlOf({ url }).href).toBe(expected);
});
