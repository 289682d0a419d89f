import { z } from "zod";
import { type ProblemError, problemErrors } from "../platform/problem.ts";
import { type CookieReport, tidyFbi, validFbc, validFbp } from "../tracking/meta-cookies.ts";
import { isTrackingToken } from "../tracking/tracking-token.ts";

/** What one visit's browser reported. */
export interface BrowserReport {
  readonly trackingToken: string;
  readonly report: CookieReport;
}

/**
 * A beacon, read. `errors` name what is wrong with it; a field of the wrong form is left out and says nothing about
 * its neighbours, so there may be a report besides. Without a token there is none.
 */
interface ReadReport {
  readonly report: BrowserReport | null;
  readonly errors: readonly ProblemError[];
}

const FBP_FORM = "must look like fb.<digit>.<milliseconds>.<digits>";
const FBC_FORM = "must look like fb.<digit>.<milliseconds>.<click id>";
const FBI_FORM = "must hold an IP address";

/** A cookie as somebody sends it: judged apart from its neighbours, so the schema takes anything. */
const cookie = (description: string) => z.unknown().optional().meta({ type: "string", description });

/** A beacon's body. */
export const cookieReportSchema = z
  .object({
    tracking_token: z.string().refine(isTrackingToken, "must be 32 lowercase hex digits"),
    _fbp: cookie(FBP_FORM),
    _fbc: cookie(FBC_FORM),
    _fbi: cookie(FBI_FORM),
  })
  .meta({
    example: {
      tracking_token: "0193f2a5c1d27e3f8a4b5c6d7e8f9012",
      _fbp: "fb.1.1740830400000.1234567890",
      _fbc: "fb.1.1740830400000.IwAR0abcDEF",
    },
  });

/** What the bridge page beacons: the browser's Meta cookies, whichever it has. */
export function readReport(body: unknown): ReadReport {
  const parsed = cookieReportSchema.safeParse(body);
  if (!parsed.success) return { report: null, errors: problemErrors(parsed.error.issues) };
  const { tracking_token: trackingToken, _fbp, _fbc, _fbi } = parsed.data;
  const errors: ProblemError[] = [];
  const read = (path: string, value: unknown, form: (text: string) => string | null, message: string) => {
    // An empty or null value says nothing: a page that found no cookie may still send the key.
    if (value === undefined || value === null || value === "") return undefined;
    const sound = typeof value === "string" ? form(value) : null;
    if (sound === null) errors.push({ path, message });
    return sound ?? undefined;
  };
  const report = {
    fbp: read("_fbp", _fbp, validFbp, FBP_FORM),
    fbc: read("_fbc", _fbc, validFbc, FBC_FORM),
    fbi: read("_fbi", _fbi, tidyFbi, FBI_FORM),
  };
  return { report: { trackingToken, report }, errors };
}
