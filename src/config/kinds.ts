import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { z } from "zod";

// The kinds of values that variables have, each with what is said of a wrong one.

export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, "must be a whole number")
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must lie between ${min} and ${max}`);

export const httpUrl = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), "must be an http(s) URL")
  .transform((text) => text.replace(/\/+$/, ""));

/** Only an origin: paths of ours are added to it, and cookies go on its host. */
export const originUrl = httpUrl
  .refine((text) => new URL(text).href === `${new URL(text).origin}/`, "must be scheme and host only")
  .transform((text) => new URL(text).origin);

/** A path, or a URL of a database that we know; another one's would pass for the name of a file. */
export const databaseUrl = z
  .string()
  .regex(
    /^(?![A-Za-z][A-Za-z0-9+.-]*:\/\/)|^(sqlite|file|postgres(ql)?):\/\//,
    "must be a file or a postgres:// URL",
  );

export const cidrList = z.string().transform((text, context) => {
  const given = text.split(/[\s,]+/).filter(Boolean);
  const entries = given.map((entry) =>
    entry.includes("/") ? entry : `${entry}/${entry.includes(":") ? 128 : 32}`,
  );
  for (const [i, entry] of entries.entries()) {
    // The library also takes `127.1` and `0x7f.1` for addresses; nobody writes those on purpose.
    const isRange = isIP(entry.replace(/\/.*/, "")) !== 0 && ipaddr.isValidCIDR(entry);
    if (!isRange) context.addIssue({ code: "custom", message: `"${given[i]}" is no address and no CIDR` });
  }
  return entries;
});

export const key32 = z
  .string()
  .transform((text) => new Uint8Array(Buffer.from(text, "base64")))
  .refine((bytes) => bytes.length === 32, "must be 32 bytes in base64");

export const secretText = z.string().min(8, "must have at least 8 characters");

/** US dollars with at most two decimals as whole cents, moved by digits. */
export const usdMinor = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,2})?$/, "must be dollars such as 13 or 13.50")
  .transform((text) => {
    const [dollars = "", cents = ""] = text.split(".");
    return Number(dollars + cents.padEnd(2, "0"));
  });

export const timeZone = z.string().refine(isTimeZone, "must be an IANA time zone");

/** Whether it is the name of a time zone, such as `America/Sao_Paulo`. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
