import { z } from "zod";
import type { VisitRecord } from "./record-visits.ts";

/** A visit as text, for the spool. */
export function encodeVisit(visit: VisitRecord): string {
  return JSON.stringify(visit);
}

const text = z.string().nullable();
const instant = z.coerce.date();

const visitSchema = z.object({
  session: z.object({
    trackingToken: z.string(),
    rootEventId: z.string(),
    poolId: z.number(),
    botId: z.number(),
    pageviewSent: z.boolean(),
    pageviewSentAt: instant.nullable(),
    pageviewTs: instant,
    clickTs: instant.nullable(),
    fbclid: text,
    fbc: text,
    fbcOrigin: z.enum(["cookie", "generated"]).nullable(),
    fbp: text,
    fbi: text,
    cookiesAt: instant.nullable(),
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
    consent: z.enum(["granted", "denied"]).nullable(),
    userExternalId: text,
    createdAt: instant,
    updatedAt: instant,
  }),
  poolBotId: z.number(),
  pageView: z
    .object({
      destination: z.literal("meta"),
      route: z.string(),
      eventName: z.string(),
      eventId: z.string(),
      payload: z.record(z.string(), z.unknown()),
      poolId: z.number().nullable(),
      trackingToken: z.string().nullable(),
      holdMs: z.number(),
    })
    .nullable(),
});

/** A visit out of the spool. @throws ZodError where the text is not one. */
export function decodeVisit(body: string): VisitRecord {
  return visitSchema.parse(JSON.parse(body));
}
