import type { PoolBotFields, PoolFields } from "../../../views/ops/pool-data.ts";
import type { PoolView } from "../../pools/pool-view.ts";
import type { FormFields } from "../form.ts";

/** The form of a pool that is not there yet. */
export const EMPTY_POOL: PoolFields = {
  slug: "",
  name: "",
  enabled: true,
  strategy: "weighted",
  locale: "",
  auto_continue_ms: "",
  capture_params: "",
  meta_tracking_enabled: true,
  meta_pixel_id: "",
  removes_access_token: false,
  meta_test_event_code: "",
  meta_cloaker_enabled: false,
  meta_cloaker_param_name: "grim",
  meta_cloaker_param_value: "",
  block_automated: false,
  utmify_pixel_id: "",
  send_lead: false,
  send_initiate_checkout: false,
  bots: [],
};

/** The form of a pool as it is. */
export function poolFieldsOf(pool: PoolView): PoolFields {
  return {
    slug: pool.slug,
    name: pool.name,
    enabled: pool.enabled,
    strategy: pool.strategy,
    locale: pool.locale ?? "",
    auto_continue_ms: pool.auto_continue_ms === null ? "" : String(pool.auto_continue_ms),
    capture_params: pool.capture_params.join(" "),
    meta_tracking_enabled: pool.meta_tracking_enabled,
    meta_pixel_id: pool.meta_pixel_id ?? "",
    removes_access_token: false,
    meta_test_event_code: pool.meta_test_event_code ?? "",
    meta_cloaker_enabled: pool.meta_cloaker_enabled,
    meta_cloaker_param_name: pool.meta_cloaker_param_name,
    meta_cloaker_param_value: pool.meta_cloaker_param_value ?? "",
    block_automated: pool.block_automated,
    utmify_pixel_id: pool.utmify_pixel_id ?? "",
    send_lead: pool.send_lead,
    send_initiate_checkout: pool.send_initiate_checkout,
    bots: pool.bots.map(({ username, weight, enabled }) => ({ username, weight: String(weight), enabled })),
  };
}

/** The form as it was sent. Rows of bots without a name are none. */
export function readPoolForm(form: FormFields): PoolFields {
  return {
    slug: form.text("slug"),
    name: form.text("name"),
    enabled: form.has("enabled"),
    strategy: form.text("strategy"),
    locale: form.text("locale"),
    auto_continue_ms: form.text("auto_continue_ms"),
    capture_params: form.text("capture_params"),
    meta_tracking_enabled: form.has("meta_tracking_enabled"),
    meta_pixel_id: form.text("meta_pixel_id"),
    removes_access_token: form.has("removes_access_token"),
    meta_test_event_code: form.text("meta_test_event_code"),
    meta_cloaker_enabled: form.has("meta_cloaker_enabled"),
    meta_cloaker_param_name: form.text("meta_cloaker_param_name"),
    meta_cloaker_param_value: form.text("meta_cloaker_param_value"),
    block_automated: form.has("block_automated"),
    utmify_pixel_id: form.text("utmify_pixel_id"),
    send_lead: form.has("send_lead"),
    send_initiate_checkout: form.has("send_initiate_checkout"),
    bots: readBots(form),
  };
}

function readBots(form: FormFields): PoolBotFields[] {
  const weights = form.all("bot_weight");
  const enabled = new Set(form.all("bot_enabled"));
  return form.all("bot_username").flatMap((given, row) => {
    const username = given.trim();
    const weight = (weights[row] ?? "").trim();
    return username === "" ? [] : [{ username, weight, enabled: enabled.has(String(row)) }];
  });
}

/** What the rules of a new pool (`poolDraftSchema`) are asked to take: without a name of its own it gets its slug. */
export function poolDraftOf(fields: PoolFields, form: FormFields): Record<string, unknown> {
  return { ...poolInputOf(fields, form), slug: fields.slug, name: fields.name || undefined };
}

/**
 * What the rules of a change (`poolChangeSchema`) are asked to take. An access token that was not typed is left out: it
 * stays as it is.
 */
export function poolInputOf(fields: PoolFields, form: FormFields): Record<string, unknown> {
  const { slug: _slug, removes_access_token, ...rest } = fields;
  const accessToken = form.text("meta_access_token");
  return {
    ...rest,
    locale: fields.locale || null,
    auto_continue_ms: fields.auto_continue_ms === "" ? null : wholeNumber(fields.auto_continue_ms),
    capture_params: captureParams(fields),
    bots: fields.bots.map((bot) => ({ ...bot, weight: bot.weight === "" ? 1 : wholeNumber(bot.weight) })),
    ...(removes_access_token && { meta_access_token: null }),
    ...(accessToken !== "" && { meta_access_token: accessToken }),
  };
}

/** The field of the form that an issue's path belongs to. */
export function poolFieldOf(path: string): string {
  return path.startsWith("capture_params") ? "capture_params" : path;
}

function captureParams({ capture_params }: PoolFields): string[] {
  return [...new Set(capture_params.split(/[\s,]+/).filter((name) => name !== ""))];
}

/** Anything else stays text, which the rules refuse in their own words. */
function wholeNumber(text: string): number | string {
  return /^\d{1,9}$/.test(text) ? Number(text) : text;
}
