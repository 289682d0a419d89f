import { expect, test } from "bun:test";
import { storableText } from "../../src/platform/storable-text.ts";

test.each([
  ["plain text", "Zoë 🌊", "Zoë 🌊"],
  ["a NUL", "Z\0oë", "Zoë"],
  ["half of a surrogate pair", "wave \ud83c", "wave \ufffd"],
  ["nothing but a NUL", "\0", ""],
])("%s is made what every database takes", (_, given, stored) => {
  expect(storableText(given)).toBe(stored);
});
