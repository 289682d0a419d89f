import { z } from "zod";
import { addressOfFbi, type CookieReport, validMetaCookie } from "../tracking/meta-cookies.ts";
import { isTrackingToken } from "../tracking/session.ts";

const metaCookie = z
  .string()
  .max(2_100)
  .refine((text) => validMetaCookie(text) !== null, "must look like fb.<n>.<milliseconds>.<value>");

const fbiCookie = z
  .string()
  .max(100)
  .refine((text) => addressOfFbi(text) !== null, "must hold an IP address");

/** An empty or null value says nothing: a page that found no cookie may still send the key. */
const optional = (form: z.ZodType<string>) =>
  z.union([z.literal("").transform(() => undefined), z.null().transform(() => undefined), form]).optional();

/** What the bridge page beacons: the browser's Meta cookies, whichever it has. */
export const cookieReportSchema = z
  .object({
    tracking_token: z.string().refine(isTrackingToken, "must be 32 lowercase hex digits"),
    _fbp: optional(metaCookie),
    _fbc: optional(metaCookie),
    _fbi: optional(fbiCookie),
  })
  .transform(({ tracking_token, _fbp, _fbc, _fbi }) => ({
    trackingToken: tracking_token,
    report: { fbp: _fbp, fbc: _fbc, fbi: _fbi } satisfies CookieReport,
  }));

export type BrowserReport = z.output<typeof cookieReportSchema>;
