import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { z } from "zod";
import { POSTGRES_URL, sqlitePath } from "./database-url.ts";

// The kinds of values that variables have, each with what is said of a wrong one.

const LONGEST_SHOWN = 80;

/** `must be a whole number, not "many"`. Of values that are no secrets. */
const wanted = (what: string) => ({
  error: ({ input }: { readonly input?: unknown }) => `must be ${what}, not ${shown(String(input))}`,
  abort: true,
});

/** From where on a value may be secret: a URL's query, or a driver's own words, as in `host=db password=…`. */
const MAY_BE_SECRET = /([?#]|\w*(?:pass|pwd|secret|token|key)\w*\s*=).+/is;
/** A token in a path, and a key in another setting's place: Telegram's, Meta's, Stripe's and Mercado Pago's. */
const KEYS = /\d{6,}:[\w-]{30,}|\bEAA\w{20,}|\b(?:[rs]k_(?:live|test)|whsec)_\w+|\bAPP_USR-[\w-]+/g;

/** In quotes, so that blanks and line ends are seen; without what may be secret in it. */
function shown(value: string): string {
  const text = value
    .replace(/^(\w[\w+.-]*:\/\/)?.*@/s, "$1…@")
    .replace(MAY_BE_SECRET, "$1…")
    .replace(KEYS, "…");
  return JSON.stringify(text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text);
}

/** One of these words, as it is written here. */
export const oneOf = <const Choice extends string>(...choices: readonly Choice[]) =>
  z.enum(choices, wanted(choices.join(" or ")));

/** A whole number in plain digits, both bounds among the allowed; becomes a number. */
export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .refine(
      (text) => /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max,
      wanted(`a whole number from ${min} to ${max}`),
    )
    .transform(Number);

/** Paths of other people's are added to it: a query or a fragment would swallow them, and a blank at its end spoil them. */
export const httpUrl = z
  .string()
  .refine(
    (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && !/[?#]/.test(text),
    wanted("an http:// or https:// URL without ? and #"),
  )
  .transform((text) => new URL(text).href.replace(/\/+$/, ""));

/** Only an origin: paths of ours are added to it, and cookies go on its host. */
export const originUrl = httpUrl
  .refine((text) => new URL(text).href === `${new URL(text).origin}/`, wanted("scheme and host only"))
  .transform((text) => new URL(text).origin);

/** A URL that looks right but for a character of its password, which is not shown. */
const WHOLE_URL = wanted("a whole URL (in a password write # as %23, / as %2F, ? as %3F, % as %25)");

/** A Postgres server's URL that can be taken apart; stays as it was given. */
export const postgresUrl = z
  .string()
  .regex(POSTGRES_URL, wanted("a postgres:// URL"))
  .refine(isWholePostgresUrl, WHOLE_URL);

/** A socket's is written as for redis-cli, `unix:///run/redis.sock`; the client wants its path alone. */
export const redisUrl = z
  .string()
  .regex(/^(rediss?:\/\/|unix:\/\/\/)/, wanted("a redis:// URL, or a socket's: unix:///run/redis.sock"))
  .refine(isWholeUrl, WHOLE_URL)
  .refine(
    (text) => text.startsWith("unix:") || /^\/?\d*$/.test(new URL(text).pathname),
    wanted("a redis:// URL that ends with a database's number or nothing (a socket's begins with unix://)"),
  )
  .transform((text) => text.replace(/^unix:\/\//, ""));

/** A path, or a URL of a database that we know; another one's would pass for the name of a file. */
export const databaseUrl = z
  .string()
  .refine((text) => POSTGRES_URL.test(text) || isFile(text), wanted("a file or a postgres:// URL"))
  .refine((text) => isFile(text) || isWholePostgresUrl(text), WHOLE_URL);

/**
 * Whether it is a file's path: not a quoted URL (Docker keeps an env file's quotes), and not a libpq string such as
 * `host=db password=…`.
 */
function isFile(text: string): boolean {
  const path = sqlitePath(text).trim();
  // In memory each connection would have a database of its own.
  if (path === "" || path === ":memory:") return false;
  return !/:\/\/|^postgres(ql)?(:|\/\/)|\bpassword\s*=/i.test(path);
}

/** It may have several hosts, of which the first is looked at, or none. */
function isWholePostgresUrl(text: string): boolean {
  return isWholeUrl(text.replace(/,[^@/?]*(?=[/?]|$)/, "").replace("@/", "@localhost/"));
}

/** Whether it can be taken apart. */
function isWholeUrl(text: string): boolean {
  try {
    const { username, password } = new URL(text);
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

/** Addresses and ranges, with blanks or commas between; an address becomes a range of itself, as 10.0.0.1/32. */
export const cidrList = z.string().transform((text, context) => {
  const given = text.split(/[\s,]+/).filter(Boolean);
  const entries = given.map((entry) =>
    entry.includes("/") ? entry : `${entry}/${entry.includes(":") ? 128 : 32}`,
  );
  for (const [i, entry] of entries.entries()) {
    // The library also takes `127.1` and `0x7f.1` for addresses; nobody writes those on purpose.
    const isRange = isIP(entry.replace(/\/.*/, "")) !== 0 && ipaddr.isValidCIDR(entry);
    if (!isRange)
      context.addIssue({ code: "custom", message: `${shown(given[i] ?? "")} is no address and no CIDR` });
  }
  return entries;
});

/** A key of 32 bytes in base64; becomes the bytes. */
export const key32 = z.string().transform((text, context) => {
  const bytes = new Uint8Array(Buffer.from(text, "base64"));
  if (bytes.length !== 32) {
    context.addIssue({ code: "custom", message: `must be 32 bytes in base64, not ${bytes.length}` });
  }
  return bytes;
});

/** A secret. HTTP strips blanks and line ends around a header, so one that has them would never be given right. */
export const secretText = (min: number, max = Number.POSITIVE_INFINITY) =>
  z
    .string()
    .min(min, {
      error: ({ input }) => `must have at least ${min} characters, not ${String(input).length}`,
      abort: true,
    })
    .max(max, {
      error: ({ input }) => `must have at most ${max} characters, not ${String(input).length}`,
      abort: true,
    })
    .refine((text) => text === text.trim(), {
      error: "must not begin or end with a blank or a line end",
      abort: true,
    });

/** A secret that a header carries. */
export const headerSecret = (min: number, max?: number) =>
  secretText(min, max).refine(
    (text) => /^[\x21-\x7e]*$/.test(text),
    "must be of ASCII letters, digits and signs, without blanks, since a header carries nothing else",
  );

/** A version of Meta's Graph API. */
export const graphVersion = z.string().regex(/^v\d+\.\d+$/, wanted("a version such as v24.0"));

/** US dollars with at most two decimals as whole cents, moved by digits. */
export const usdMinor = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,2})?$/, wanted("dollars such as 13 or 13.50"))
  .transform((text) => {
    const [dollars = "", cents = ""] = text.split(".");
    return Number(dollars + cents.padEnd(2, "0"));
  });

/** A time zone's name, as `isTimeZone` knows them. */
export const timeZone = z.string().refine(isTimeZone, wanted("the IANA name of a time zone"));

/**
 * Whether it is the IANA name of a time zone, such as `America/Sao_Paulo`. An offset, such as `+05:30`, is none: older
 * browsers know only names, and would draw no chart.
 */
export function isTimeZone(name: string): boolean {
  if (/^[+-]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
