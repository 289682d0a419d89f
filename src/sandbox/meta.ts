import { Elysia } from "elysia";
import { z } from "zod";
import type { EventLog } from "./event-log.ts";
import { createFaults, type Faults } from "./faults.ts";
import { fbtraceId, type GraphError, graphErrorResponse, invalidToken } from "./graph-error.ts";
import { isJsonObject, parseBody } from "./json.ts";
import { type MetaFault, metaFaultSchema, receivedResponse, strike } from "./meta-faults.ts";
import { judgeRequest } from "./meta-rules.ts";
import type { RequestLog, RequestNote } from "./request-log.ts";

interface MetaDeps {
  readonly now: () => number;
  readonly events: EventLog;
  readonly requests: RequestLog;
}

const eventQuery = z.object({
  pixel: z.string().optional(),
  event_name: z.string().optional(),
  event_id: z.string().optional(),
  limit: z.coerce.number().int().min(0).optional(),
});

/** Meta's Conversions API at `/:version/:pixel/events`, what it received, and its faults switch. */
export function metaRoutes(deps: MetaDeps) {
  const faults = createFaults<MetaFault>();
  return new Elysia({ name: "sandbox.meta" })
    .post(
      "/:version/:pixel/events",
      ({ request, params }) =>
        deps.requests.record(request, (note) => receive({ request, target: params, note }, deps, faults)),
      { parse: "none" },
    )
    .get("/:version/:pixel", ({ request, params }) =>
      deps.requests.record(request, async () => describePixel(request, params)),
    )
    .get("/events", ({ query: { limit, ...filter } }) => deps.events.list(filter, limit), {
      query: eventQuery,
    })
    .get("/events/count", ({ query }) => deps.events.count(query), { query: eventQuery })
    .delete("/events", ({ status }) => {
      deps.events.clear();
      return status(204);
    })
    .post("/faults", ({ body, status }) => status(201, faults.add(body)), {
      parse: "json",
      body: metaFaultSchema,
    })
    .get("/faults", () => faults.list())
    .delete("/faults", () => ({ cleared: faults.clear() }));
}

interface Target {
  readonly version: string;
  readonly pixel: string;
}

interface Delivery {
  readonly request: Request;
  readonly target: Target;
  readonly note: RequestNote;
}

/** One batch of events: fault before, rules, record, fault after. */
async function receive(
  { request, target, note }: Delivery,
  { now, events }: MetaDeps,
  faults: Faults<MetaFault>,
): Promise<Response> {
  const fault = faults.take(({ pixel }) => pixel === undefined || pixel === target.pixel);
  const text = await request.text();
  note.bodyBytes = Number(request.headers.get("content-length") ?? Buffer.byteLength(text));
  if (fault !== null && !fault.after) {
    note.fault = fault.mode;
    const failure = await strike(fault, target.pixel);
    if (failure !== null) return failure;
  }
  const body = parseBody(request, text);
  const refusal = targetProblem(request.url, target) ?? credentialProblem(request, body);
  if (refusal !== null) return graphErrorResponse(refusal);
  const nowMs = now();
  const ruling = judgeRequest(body, nowMs);
  if (ruling.kind === "refused") return graphErrorResponse(ruling.error);
  const accepted =
    fault?.mode === "partial"
      ? ruling.events.slice(0, fault.accept ?? Math.floor(ruling.events.length / 2))
      : ruling.events;
  events.add({
    pixelId: target.pixel,
    testEventCode: ruling.testEventCode,
    events: accepted,
    nowMs,
  });
  note.events = accepted.length;
  if (fault?.after !== true) return receivedResponse(accepted.length);
  note.fault = fault.mode;
  return (await strike(fault, target.pixel)) ?? receivedResponse(accepted.length);
}

/** `GET /:version/:pixel`, as used to check that a token reaches a pixel. */
function describePixel(request: Request, target: Target): Response {
  const refusal = targetProblem(request.url, target) ?? credentialProblem(request, undefined);
  if (refusal !== null) return graphErrorResponse(refusal);
  return Response.json({
    id: target.pixel,
    name: `Sandbox pixel ${target.pixel}`,
    fbtrace_id: fbtraceId(),
  });
}

function targetProblem(url: string, { version, pixel }: Target): GraphError | null {
  if (new URL(url).searchParams.has("access_token")) {
    // Meta itself would take it; Ponte must never put a token where proxies log it.
    return {
      status: 400,
      code: 100,
      message:
        "access_token must not be in the URL: send it in the body or as Authorization: Bearer. This sandbox refuses it so that no token reaches a log.",
    };
  }
  if (!/^v\d+\.\d+$/.test(version)) {
    return {
      status: 400,
      code: 2500,
      message: `Unknown path components: /${version}. Expected a version such as v24.0.`,
    };
  }
  if (!/^\d{1,20}$/.test(pixel)) {
    return {
      status: 400,
      code: 100,
      subcode: 33,
      type: "GraphMethodException",
      message: `Unsupported post request. Object with ID '${pixel}' does not exist, cannot be loaded due to missing permissions, or does not support this operation.`,
    };
  }
  return null;
}

function credentialProblem(request: Request, body: unknown): GraphError | null {
  const inBody = isJsonObject(body) ? body.access_token : undefined;
  const inHeader = /^Bearer\s+(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  const token = inBody ?? inHeader;
  if (token === undefined) {
    return invalidToken("An access token is required to request this resource.");
  }
  if (typeof token !== "string" || !/^\S+$/.test(token)) {
    return invalidToken("Invalid OAuth access token - Cannot parse access token");
  }
  return null;
}
