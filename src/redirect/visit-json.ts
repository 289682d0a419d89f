import { z } from "zod";
import { FBC_ORIGINS } from "../db/vocabulary.ts";
import type { VisitRecord } from "./visit-record.ts";

/** A visit as text, for the spool. */
export function encodeVisit(visit: VisitRecord): string {
  return JSON.stringify(visit);
}

const text = z.string().nullable();

const visitSchema = z.object({
  trackingToken: z.string(),
  atMs: z.number(),
  // One of an earlier version names none, and is whose it comes to.
  database: text.default(null),
  poolId: z.number(),
  botId: z.number(),
  poolBotId: z.number(),
  fbclid: text,
  fbc: text,
  fbcOrigin: z.enum(FBC_ORIGINS).nullable(),
  fbp: text,
  fbi: text,
  utmSource: text,
  utmCampaign: text,
  utmMedium: text,
  utmContent: text,
  utmTerm: text,
  grim: text,
  params: z.record(z.string(), z.string()).nullable(),
  clientIp: text,
  userAgent: text,
  referrer: text,
  eventSourceUrl: text,
  consent: z.literal("denied").nullable(),
  pageView: z
    .object({ route: z.string(), poolName: z.string(), poolSlug: z.string(), holdMs: z.number() })
    .nullable(),
});

/** A visit out of the spool. @throws ZodError where the text is not one. */
export function decodeVisit(body: string): VisitRecord {
  return visitSchema.parse(JSON.parse(body));
}
