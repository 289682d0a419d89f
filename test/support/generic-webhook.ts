import { hmacSha256Hex } from "../../src/platform/digests.ts";

/** What the provider `generic` sends to `/api/payments/webhooks/generic`, signed. */
export function genericWebhook(
  secret: string,
  report: object,
  atSeconds = Math.floor(Date.now() / 1000),
): { method: string; body: string; headers: Record<string, string> } {
  const body = JSON.stringify(report);
  const v1 = hmacSha256Hex(secret, `${atSeconds}.${body}`);
  return { method: "POST", body, headers: { "x-ponte-signature": `t=${atSeconds},v1=${v1}` } };
}
