import { isIP } from "node:net";
import type { FbcOrigin } from "../db/vocabulary.ts";
import { BROWSER_ID_FORMS, isBrowserId } from "../meta/browser-ids.ts";

/** The parts of a `_fbc` cookie, `fb.<subdomain index>.<creation ms>.<click id>[.<appendix>]`. */
interface FbcParts {
  readonly subdomainIndex: number;
  readonly createdMs: number;
  /** In its exact case. */
  readonly clickId: string;
  /** What Meta's param builder adds: 2 or 8 characters. */
  readonly appendix: string | null;
}

/** Takes a `_fbc` value apart; null where it does not have Meta's form. */
export function parseFbc(value: string): FbcParts | null {
  const parts = BROWSER_ID_FORMS.fbc.exec(value);
  if (!parts) return null;
  return {
    subdomainIndex: Number(parts[1]),
    createdMs: Number(parts[2]),
    clickId: parts[3] ?? "",
    appendix: parts[4] ?? null,
  };
}

/** The `_fbc` value itself where it has Meta's form, else null. */
export function validFbc(value: string): string | null {
  return isBrowserId("fbc", value) ? value : null;
}

/** The `_fbp` value itself where it has Meta's form, else null. */
export function validFbp(value: string): string | null {
  return isBrowserId("fbp", value) ? value : null;
}

/** What Meta's param builder appends to a cookie; to `_fbi` once for each domain that it tries to set it on. */
const APPENDIX = /^(?:[A-Za-z0-9_-]{2}|[A-Za-z0-9_-]{8})$/;

/** A `_fbi` value with one appendix at most, which is all that it means; null where it holds no address. */
export function tidyFbi(fbi: string): string | null {
  const address = addressOfFbi(fbi);
  if (address === null) return null;
  const appendices = fbi.slice(address.length);
  return address + appendices.slice(Math.max(0, appendices.lastIndexOf(".")));
}

/** The address inside a `_fbi` cookie, `<ip>[.<appendix>]`, repeated appendices and all; null where there is none. */
export function addressOfFbi(fbi: string | null | undefined): string | null {
  if (!fbi) return null;
  // The address is the longest part that is one: some appendices could pass for a number of IPv4.
  for (let end = fbi.length; end > 0; end = fbi.lastIndexOf(".", end - 1)) {
    const address = fbi.slice(0, end);
    if (isIP(address) !== 0) return address;
    if (!APPENDIX.test(fbi.slice(fbi.lastIndexOf(".", end - 1) + 1, end))) return null;
  }
  return null;
}

/** Click ids that may become an fbc: one with a dot or a space would not come apart again. */
const CLICK_ID = /^[A-Za-z0-9_-]{1,2000}$/;

type CanonicalFbc =
  | { readonly fbc: string; readonly fbcOrigin: FbcOrigin }
  | { readonly fbc: null; readonly fbcOrigin: null };

/** Where and when a cookie of ours is made. */
interface Making {
  readonly subdomainIndex: number;
  readonly nowMs: number;
}

/**
 * Which fbc a visit has. The browser's own cookie is kept where it names this visit's click (the oldest, of several),
 * or where the visit names none (the newest); a new click makes a new fbc, where its id may become one; without either
 * there is no fbc, for one is never invented.
 *
 * @param cookies the browser's `_fbc` cookies; what does not have their form is passed over
 */
export function canonicalFbc(cookies: readonly string[], fbclid: string | null, made: Making): CanonicalFbc {
  let kept: { readonly fbc: string; readonly createdMs: number } | null = null;
  for (const fbc of cookies) {
    const parts = parseFbc(fbc);
    if (parts === null || (fbclid !== null && parts.clickId !== fbclid)) continue;
    const { createdMs } = parts;
    const isBetter =
      kept === null || (fbclid === null ? createdMs > kept.createdMs : createdMs < kept.createdMs);
    if (isBetter) kept = { fbc, createdMs };
  }
  if (kept) return { fbc: kept.fbc, fbcOrigin: "cookie" };
  if (fbclid === null || !CLICK_ID.test(fbclid)) return { fbc: null, fbcOrigin: null };
  return { fbc: `fb.${made.subdomainIndex}.${made.nowMs}.${fbclid}`, fbcOrigin: "generated" };
}

/** A new `_fbp` for a browser that has none, as Meta's server-side param builder makes it. */
export function newFbp({ subdomainIndex, nowMs }: Making): string {
  return `fb.${subdomainIndex}.${nowMs}.${Math.floor(Math.random() * 2_147_483_647)}`;
}

/** What is known of a session's cookies. */
interface CookieFacts {
  readonly fbc: string | null;
  readonly fbcOrigin: FbcOrigin | null;
  /** The visit's own click; an fbc of another one is not its. */
  readonly fbclid: string | null;
  readonly fbp: string | null;
  readonly fbi: string | null;
  /** When the visit was. */
  readonly pageviewTs: Date;
}

/** What a browser reports; a key that is missing says nothing. */
export interface CookieReport {
  readonly fbp?: string | undefined;
  readonly fbc?: string | undefined;
  readonly fbi?: string | undefined;
}

/**
 * What is known after a browser's report: the missing is filled in, nothing is erased or overwritten, except that what was
 * made for the visit gives way to the browser's own: an fbc to that of the same click, an fbp to any. Some browsers do not
 * take our cookies, or not before the page's scripts have made theirs, and Meta knows them by those.
 */
export function mergeCookies(
  known: CookieFacts,
  report: CookieReport,
): Omit<CookieFacts, "fbclid" | "pageviewTs"> {
  return {
    ...mergeFbc(known, report.fbc),
    fbp: mergeFbp(known, report.fbp),
    fbi: known.fbi ?? report.fbi ?? null,
  };
}

/** An fbp as old as the visit, to the millisecond, was made for it. */
function mergeFbp({ fbp, pageviewTs }: CookieFacts, reported: string | undefined): string | null {
  const isOurs = fbp?.split(".")[2] === String(pageviewTs.getTime());
  return isOurs ? (reported ?? fbp) : (fbp ?? reported ?? null);
}

function mergeFbc(
  { fbclid, fbc, fbcOrigin }: CookieFacts,
  reported: string | undefined,
): Pick<CookieFacts, "fbc" | "fbcOrigin"> {
  if (reported === undefined) return { fbc, fbcOrigin };
  const click = parseFbc(reported)?.clickId;
  const isFirst = fbc === null && (fbclid === null || fbclid === click);
  const isSameClick = fbc !== null && parseFbc(fbc)?.clickId === click;
  return isFirst || (fbcOrigin === "generated" && isSameClick)
    ? { fbc: reported, fbcOrigin: "cookie" }
    : { fbc, fbcOrigin };
}
