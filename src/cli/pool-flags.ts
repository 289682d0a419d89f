import { type Given, type Options, Refused, WrongUsage } from "./command.ts";
import { type FlagOfField, onlyGiven } from "./input.ts";

/** The flags of `pool add` and `pool update`. */
export const POOL_FLAGS = {
  name: { type: "string", value: "name", help: "what visitors and operators read (default: the slug)" },
  "pixel-id": { type: "string", value: "digits", help: "the Meta Pixel" },
  "access-token": {
    type: "string",
    value: "token",
    help: "its Conversions API token; - reads it from standard input",
  },
  "test-event-code": {
    type: "string",
    value: "code",
    help: "while set, events show under Events Manager's Test events as well; Meta still counts them",
  },
  "gate-param": { type: "string", value: "name=value", help: "only links with this parameter are let in" },
  "block-automated": { type: "boolean", help: "refuse self-declared automated clients" },
  "utmify-pixel-id": { type: "string", value: "id", help: "load the UTMify pixel too" },
  bot: {
    type: "string",
    multiple: true,
    value: "username[:weight]",
    help: "a bot visitors are sent to (weight 1 to 1000); made if new",
  },
  strategy: { type: "string", value: "name", help: "weighted (default), round_robin or least_used" },
  locale: { type: "string", value: "pt-BR|en", help: "the page's language (default: the visitor's)" },
  "auto-continue-ms": {
    type: "string",
    value: "ms",
    help: "go on to the bot by itself once the pixels have reported, after this long at the latest",
  },
  "capture-param": {
    type: "string",
    multiple: true,
    value: "name",
    help: "a further query parameter to keep",
  },
  "send-lead": { type: "boolean", help: "report Lead to Meta at /start" },
  "send-initiate-checkout": { type: "boolean", help: "report InitiateCheckout to Meta" },
  tracking: { type: "boolean", help: "--no-tracking: straight to the bot, nothing to Meta" },
  enabled: { type: "boolean", help: "--no-enabled: its link answers 404" },
} as const satisfies Options;

/** The flags of the pool rules' fields whose flag is called otherwise, for error messages. */
export const POOL_FLAG_OF_FIELD: FlagOfField = {
  meta_pixel_id: "pixel-id",
  meta_access_token: "access-token",
  meta_test_event_code: "test-event-code",
  meta_cloaker_param_name: "gate-param",
  meta_cloaker_param_value: "gate-param",
  meta_tracking_enabled: "tracking",
  capture_params: "capture-param",
  bots: "bot",
};

/** The flags as the pool rules' input; what was not given is left out, and an empty value clears. */
export function poolInput(given: Given<typeof POOL_FLAGS>): Record<string, unknown> {
  const gate = given["gate-param"];
  return onlyGiven({
    name: given.name,
    meta_pixel_id: given["pixel-id"],
    meta_access_token: given["access-token"],
    meta_test_event_code: given["test-event-code"],
    ...(gate !== undefined && gateInput(gate)),
    block_automated: given["block-automated"],
    utmify_pixel_id: given["utmify-pixel-id"],
    bots: given.bot?.map(botInput),
    strategy: given.strategy,
    locale: given.locale === "" ? null : given.locale,
    auto_continue_ms: numberOrNull(given["auto-continue-ms"]),
    capture_params: given["capture-param"]?.filter((name) => name !== ""),
    send_lead: given["send-lead"],
    send_initiate_checkout: given["send-initiate-checkout"],
    meta_tracking_enabled: given.tracking,
    enabled: given.enabled,
  });
}

/** `grim=value`; nothing takes the gate's parameter away. */
function gateInput(text: string): Record<string, unknown> {
  if (text === "") return { meta_cloaker_param_value: null };
  const [name, ...value] = text.split("=");
  if (value.length === 0)
    throw new WrongUsage(`--gate-param: write it as name=value, for instance grim=${text}`);
  return {
    meta_cloaker_param_name: name,
    meta_cloaker_param_value: value.join("="),
    meta_cloaker_enabled: true,
  };
}

/** `username` or `username:weight`. */
function botInput(text: string): { username: string; weight?: number } {
  const [username = "", ...weight] = text.split(":");
  return weight.length === 0 ? { username } : { username, weight: Number(weight.join(":") || "NaN") };
}

function numberOrNull(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  return text === "" ? null : Number(text);
}

/** To be thrown where no pool has that slug. */
export function noSuchPool(slug: string): Refused {
  return new Refused(`There is no pool "${slug}". See: bun run ponte pool list`);
}
