import type { Locale } from "../db/define-schema.ts";

/**
 * The page's language: the pool's, else the first of Portuguese and English that the browser asks for,
 * else Portuguese for a browser that names none and English for every other language.
 */
export function pageLocale(poolLocale: Locale | null, acceptLanguage: string | null): Locale {
  if (poolLocale) return poolLocale;
  if (!acceptLanguage) return "pt-BR";
  const asked = /(?:^|[,\s])(pt|en)\b/i.exec(acceptLanguage);
  return asked?.[1]?.toLowerCase() === "pt" ? "pt-BR" : "en";
}
