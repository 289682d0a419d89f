import type { Locale } from "../db/vocabulary.ts";

/**
 * The language of a page where no pool says it: whichever of Portuguese and English the browser prefers (RFC 9110, 12.5.4),
 * else Portuguese for a browser that names no language and English for one that names others.
 */
export function pageLocale(acceptLanguage: string | null): Locale {
  if (!acceptLanguage) return "pt-BR";
  let best: Locale = "en";
  let bestWeight = 0;
  for (const range of acceptLanguage.split(",")) {
    const [, language = "", weight = "1"] = RANGE.exec(range) ?? [];
    if (language === "" || Number(weight) <= bestWeight) continue;
    bestWeight = Number(weight);
    best = language.toLowerCase() === "pt" ? "pt-BR" : "en";
    // Nothing weighs more, and few browsers say otherwise.
    if (bestWeight === 1) break;
  }
  return best;
}

/** `pt`, `pt-BR;q=0.8` and the like; of two with the same weight the first counts. */
const RANGE = /^\s*(pt|en)(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?$/i;
