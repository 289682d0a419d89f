import type { GraphError } from "./graph-error.ts";
import { isJsonObject, type JsonObject } from "./json.ts";
import { type EventProblem, META_SUBCODES, problem } from "./meta-subcodes.ts";
import { userDataProblem } from "./meta-user-data.ts";

/** What Meta makes of one request: one bad event refuses them all. */
type Ruling =
  | {
      readonly kind: "accepted";
      readonly events: readonly JsonObject[];
      readonly testEventCode: string | null;
    }
  | { readonly kind: "refused"; readonly error: GraphError };

const MAX_EVENTS = 1000;
const MAX_AGE_SECONDS = 7 * 24 * 60 * 60;

const ACTION_SOURCES: ReadonlySet<unknown> = new Set([
  "email",
  "website",
  "app",
  "phone_call",
  "chat",
  "physical_store",
  "system_generated",
  "business_messaging",
  "other",
]);

/** Keys of a server event that Meta documents; any other is answered "Unexpected key". */
const EVENT_KEYS: ReadonlySet<string> = new Set([
  "event_name",
  "event_time",
  "event_id",
  "event_source_url",
  "action_source",
  "user_data",
  "custom_data",
  "app_data",
  "original_event_data",
  "attribution_data",
  "customer_segmentation",
  "referrer_url",
  "messaging_channel",
  "opt_out",
  "advanced_measurement_table",
  "data_processing_options",
  "data_processing_options_country",
  "data_processing_options_state",
]);

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));
const WEB_ADDRESS = /^https?:\/\/[^\s/?#]+/i;

/** Judges a parsed request body against every rule of the Conversions API, at the time it arrives. */
export function judgeRequest(body: unknown, nowMs: number): Ruling {
  if (!isJsonObject(body)) return refusedRequest("The request body must be a JSON object.");
  const { data, test_event_code: testEventCode = null } = body;
  if (!Array.isArray(data)) return refusedRequest("Param data must be an array.");
  if (data.length === 0) return refusedRequest("Param data must be a non-empty array.");
  if (data.length > MAX_EVENTS) {
    return refusedRequest(`Param data must have at most ${MAX_EVENTS} events; it has ${data.length}.`);
  }
  if (testEventCode !== null && (typeof testEventCode !== "string" || testEventCode === "")) {
    return refusedRequest("Param test_event_code must be a non-empty string.");
  }
  const nowSeconds = Math.floor(nowMs / 1000);
  const events: JsonObject[] = [];
  for (const [index, event] of data.entries()) {
    if (!isJsonObject(event)) {
      return refused(`data[${index}]: `, malformed("The event must be an object."));
    }
    const found = eventProblem(event, nowSeconds);
    if (found !== null) return refused(`data[${index}]: `, found);
    events.push(event);
  }
  return { kind: "accepted", events, testEventCode };
}

function eventProblem(event: JsonObject, nowSeconds: number): EventProblem | null {
  return (
    keysProblem(event) ??
    timeProblem(event.event_time, nowSeconds) ??
    sourceProblem(event) ??
    userDataProblem(event.user_data) ??
    customDataProblem(event) ??
    processingOptionsProblem(event)
  );
}

function keysProblem(event: JsonObject): EventProblem | null {
  for (const key in event) {
    if (EVENT_KEYS.has(key)) continue;
    return problem(META_SUBCODES.unexpectedKey, "Unexpected Parameter", `Unexpected key "${key}".`);
  }
  if (!isText(event.event_name)) return malformed("event_name must be a non-empty string.");
  if (event.event_id !== undefined && !isText(event.event_id)) {
    return malformed("event_id must be a non-empty string.");
  }
  return null;
}

function timeProblem(eventTime: unknown, nowSeconds: number): EventProblem | null {
  if (typeof eventTime !== "number" || !Number.isInteger(eventTime) || eventTime <= 0) {
    return problem(
      META_SUBCODES.badTime,
      "Invalid Event Timestamp",
      "event_time must be a whole number of Unix seconds.",
    );
  }
  if (eventTime > nowSeconds) {
    return problem(
      META_SUBCODES.inFuture,
      "Event Timestamp In The Future",
      `event_time ${eventTime} is after now (${nowSeconds}); it must be Unix seconds, not milliseconds.`,
    );
  }
  if (nowSeconds - eventTime > MAX_AGE_SECONDS) {
    return problem(
      META_SUBCODES.tooOld,
      "Event Timestamp Too Old",
      "The timestamp for this event is too far in the past. Events must be sent within 7 days of when they occurred.",
    );
  }
  return null;
}

function sourceProblem(event: JsonObject): EventProblem | null {
  const { action_source: source, event_source_url: address, user_data: userData } = event;
  const bad = (detail: string) => problem(META_SUBCODES.actionSource, "Invalid Action Source", detail);
  if (!ACTION_SOURCES.has(source)) return bad("action_source is missing or not one Meta knows.");
  if (address !== undefined && (typeof address !== "string" || !WEB_ADDRESS.test(address))) {
    return bad("event_source_url must be an http or https address.");
  }
  if (source !== "website") return null;
  if (address === undefined) return bad("A website event needs event_source_url.");
  if (!isJsonObject(userData) || !isText(userData.client_user_agent)) {
    return bad("A website event needs user_data.client_user_agent.");
  }
  return null;
}

function customDataProblem(event: JsonObject): EventProblem | null {
  const { custom_data: customData, event_name: name } = event;
  if (customData !== undefined && !isJsonObject(customData))
    return malformed("custom_data must be an object.");
  const { value, currency } = customData ?? {};
  const isPurchase = name === "Purchase";
  if (value !== undefined || isPurchase) {
    if (typeof value !== "number" || value < 0) {
      return problem(
        META_SUBCODES.value,
        "Invalid Value",
        "custom_data.value must be a number of at least 0; a Purchase cannot do without.",
      );
    }
  }
  if (currency !== undefined || isPurchase) {
    if (typeof currency !== "string" || !CURRENCIES.has(currency.toUpperCase())) {
      return problem(
        META_SUBCODES.currency,
        "Invalid Currency",
        "custom_data.currency must be an ISO 4217 code of three letters; a Purchase cannot do without.",
      );
    }
  }
  return null;
}

function processingOptionsProblem(event: JsonObject): EventProblem | null {
  const options = event.data_processing_options;
  if (options === undefined) return null;
  if (!Array.isArray(options) || options.some((option) => option !== "LDU")) {
    return malformed('data_processing_options must be [] or ["LDU"].');
  }
  const { data_processing_options_country: country, data_processing_options_state: state } = event;
  if (options.length > 0 && (!Number.isInteger(country) || !Number.isInteger(state))) {
    return malformed("LDU needs data_processing_options_country and data_processing_options_state.");
  }
  return null;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function malformed(detail: string): EventProblem {
  return problem(META_SUBCODES.malformed, "Invalid Event", detail);
}

function refusedRequest(detail: string): Ruling {
  return refused("", problem(META_SUBCODES.malformed, "Invalid Request", detail));
}

function refused(place: string, { subcode, title, detail }: EventProblem): Ruling {
  return {
    kind: "refused",
    error: {
      status: 400,
      code: 100,
      subcode,
      message: "Invalid parameter",
      userTitle: title,
      userMessage: `${place}${detail}`,
    },
  };
}
