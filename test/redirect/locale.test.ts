import { expect, test } from "bun:test";
import fc from "fast-check";
import { pageLocale } from "../../src/redirect/locale.ts";

test.each([
  [null, "pt-BR"],
  ["", "pt-BR"],
  ["pt-BR,pt;q=0.9,en;q=0.8", "pt-BR"],
  ["en-US,en;q=0.9,pt;q=0.8", "en"],
  ["en;q=0.5, pt-BR;q=0.9", "pt-BR"],
  ["pt;q=0.1,en", "en"],
  ["pt;q=0, en;q=0.1", "en"],
  ["pt;q=0", "en"],
  ["PT", "pt-BR"],
  ["es-MX,es;q=0.9,pt;q=0.5", "pt-BR"],
  ["de, fr", "en"],
  ["*", "en"],
  ["ptx, enx", "en"],
  ["pt ; q = 0.5 , en ; q = 0.4", "pt-BR"],
  ["pt;q=2,en", "en"],
] as const)("a browser that accepts %p reads %p", (acceptLanguage, locale) => {
  expect(pageLocale(acceptLanguage)).toBe(locale);
});

test("every header has a language", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (header) => {
      expect(["pt-BR", "en"]).toContain(pageLocale(header));
    }),
  );
});
