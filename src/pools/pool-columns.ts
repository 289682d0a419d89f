import { changedOf } from "../platform/changed-of.ts";
import { openSealed } from "../platform/open-sealed.ts";
import type { Issue } from "../platform/parse-input.ts";
import type { Secrets } from "../platform/secrets.ts";
import type { PoolChange } from "./pool-rules.ts";
import type { PoolRow } from "./pool-view.ts";

/** A change as columns; undefined leaves a column alone. The access token comes out sealed. */
export function poolColumns(change: PoolChange, secrets: Secrets) {
  const token = change.meta_access_token;
  return {
    name: change.name,
    enabled: change.enabled,
    strategy: change.strategy,
    locale: change.locale,
    autoContinueMs: change.auto_continue_ms,
    captureParams: change.capture_params,
    metaTrackingEnabled: change.meta_tracking_enabled,
    metaPixelId: change.meta_pixel_id,
    metaAccessToken: token ? secrets.seal(token, "pools.meta_access_token") : token,
    metaTestEventCode: change.meta_test_event_code,
    metaCloakerEnabled: change.meta_cloaker_enabled,
    metaCloakerParamName: change.meta_cloaker_param_name,
    metaCloakerParamValue: change.meta_cloaker_param_value,
    blockAutomated: change.block_automated,
    utmifyPixelId: change.utmify_pixel_id,
    sendLead: change.send_lead,
    sendInitiateCheckout: change.send_initiate_checkout,
  };
}

/** Only those columns that really become different. A sealed token differs each time, so what it says is compared. */
export function changedColumns(row: PoolRow, change: PoolChange, secrets: Secrets): Partial<PoolRow> {
  const current =
    row.metaAccessToken === null ? null : openSealed(secrets, row.metaAccessToken, "pools.meta_access_token");
  // One that another APP_SECRET sealed is not known: whatever replaces it is then a change.
  const isTokenKept = current?.kind === "opened" && current.text === change.meta_access_token;
  const columns = poolColumns(isTokenKept ? { ...change, meta_access_token: undefined } : change, secrets);
  return changedOf(row, columns);
}

/** The gate goes with its value, unless the change says otherwise: a new value turns it on, no value turns it off. */
export function withGateSwitch(change: PoolChange, currentValue: string | null): PoolChange {
  const value = change.meta_cloaker_param_value;
  if (change.meta_cloaker_enabled !== undefined || value === undefined) return change;
  if ((value === null) === (currentValue === null)) return change;
  return { ...change, meta_cloaker_enabled: value !== null };
}

/** What would not work together, once the change is made. */
export function coherenceIssues(
  row: Pick<
    PoolRow,
    "metaTrackingEnabled" | "metaPixelId" | "metaAccessToken" | "metaCloakerEnabled" | "metaCloakerParamValue"
  >,
): Issue[] {
  const issues: Issue[] = [];
  if (row.metaTrackingEnabled && row.metaPixelId !== null && row.metaAccessToken === null) {
    issues.push({
      path: "meta_access_token",
      message:
        "a pixel needs its Conversions API token; give one, or turn reports to Meta off (meta_tracking_enabled)",
    });
  }
  if (row.metaCloakerEnabled && row.metaCloakerParamValue === null) {
    issues.push({
      path: "meta_cloaker_param_value",
      message: "the gate needs a value; give one, or turn the gate off (meta_cloaker_enabled)",
    });
  }
  return issues;
}
