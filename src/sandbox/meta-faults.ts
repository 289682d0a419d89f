import { z } from "zod";
import { pause, resetConnection } from "./connection.ts";
import { scheduleFields } from "./faults.ts";
import { fbtraceId, graphErrorResponse, invalidToken } from "./graph-error.ts";

/**
 * Body of `POST /faults`. `latency` waits `ms`; `garbage` answers a proxy's HTML page with `status` (200);
 * `partial` records and counts only the first `accept` events (half without it); `graph` answers any Graph error;
 * `pixel` limits the fault to one pixel. The other fields: see `scheduleFields`.
 */
export const metaFaultSchema = z.strictObject({
  mode: z.enum(["latency", "500", "429", "190", "reset", "garbage", "partial", "graph"]),
  ...scheduleFields,
  pixel: z.string().optional(),
  ms: z.int().min(0).max(600_000).default(1000),
  retry_after: z.int().min(0).optional(),
  accept: z.int().min(0).optional(),
  status: z.int().min(200).max(599).optional(),
  code: z.int().default(2),
  error_subcode: z.int().optional(),
  is_transient: z.boolean().default(false),
  message: z.string().default("An unexpected error has occurred."),
});

/** A fault of the stand-in for Meta, with its defaults filled in. */
export type MetaFault = z.infer<typeof metaFaultSchema>;

/** The failure to answer for this fault, or `null` where the request goes on (after the wait, or in part). */
export async function strike(fault: MetaFault, pixelId: string): Promise<Response | null> {
  switch (fault.mode) {
    case "latency":
      await pause(fault.ms);
      return null;
    case "partial":
      return null;
    case "reset":
      return resetConnection();
    case "500":
      return graphErrorResponse({
        status: 500,
        code: 1,
        message: "An unknown error occurred",
        transient: true,
      });
    case "429":
      return throttled(fault.retry_after, pixelId);
    case "190":
      return graphErrorResponse(
        invalidToken("Error validating access token: The session has been invalidated.", 460),
      );
    case "garbage":
      return new Response("<html><head><title>Sorry</title></head><body><h1>Something went wrong</h1>", {
        status: fault.status ?? 200,
        headers: { "content-type": "text/html; charset=utf-8" },
      });
    case "graph":
      return graphErrorResponse({
        status: fault.status ?? 400,
        code: fault.code,
        message: fault.message,
        transient: fault.is_transient,
        ...(fault.error_subcode !== undefined && { subcode: fault.error_subcode }),
      });
  }
}

/**
 * Code 4 (application limit), or, where it is known how long, 80004 with `Retry-After` (seconds) and the business
 * use case header, whose estimate is in whole minutes: rounded down, so that a few seconds do not become a minute.
 */
function throttled(retryAfterSeconds: number | undefined, pixelId: string): Response {
  if (retryAfterSeconds === undefined) {
    const usage = JSON.stringify({ call_count: 100, total_cputime: 25, total_time: 25 });
    return graphErrorResponse(
      { status: 429, code: 4, message: "(#4) Application request limit reached", transient: true },
      { "x-app-usage": usage },
    );
  }
  const usage = JSON.stringify({
    [pixelId]: [
      {
        type: "ads_management",
        call_count: 100,
        total_cputime: 25,
        total_time: 25,
        estimated_time_to_regain_access: Math.floor(retryAfterSeconds / 60),
      },
    ],
  });
  return graphErrorResponse(
    {
      status: 429,
      code: 80004,
      subcode: 2446079,
      message: "(#80004) There have been too many calls to this ad-account. Wait a bit and try again.",
    },
    { "retry-after": String(retryAfterSeconds), "x-business-use-case-usage": usage },
  );
}

/** Meta's success. `events_received` below what was sent is a partial success. */
export function receivedResponse(eventsReceived: number): Response {
  return Response.json({ events_received: eventsReceived, messages: [], fbtrace_id: fbtraceId() });
}
