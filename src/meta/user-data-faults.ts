import { isRecord } from "../platform/json.ts";
import { isBrowserId } from "./browser-ids.ts";
import { publicClientIp } from "./client-ip.ts";
import { hasMatchableKey } from "./matching.ts";

/** Keys that Meta takes only as SHA-256, one digest or a list. */
const HASHED_KEYS: readonly string[] = [
  "em",
  "ph",
  "fn",
  "ln",
  "db",
  "ge",
  "ct",
  "st",
  "zp",
  "country",
  "external_id",
];

const LOWER_SHA256 = /^[0-9a-f]{64}$/;

/** What is wrong with a website event's `user_data`, or null. Values are not repeated in the answer: they may be personal. */
export function userDataFault(event: Readonly<Record<string, unknown>>): string | null {
  const data = event.user_data;
  if (!isRecord(data)) return "user_data is missing";
  for (const [key, value] of Object.entries(data)) {
    const fault = keyFault(key, value);
    if (fault !== null) return `user_data.${key} ${fault}`;
  }
  if (data.client_user_agent === undefined) {
    return "user_data.client_user_agent is missing; website events need it";
  }
  return hasMatchableKey(data) ? null : "user_data has no key that Meta could match";
}

function keyFault(key: string, value: unknown): string | null {
  if (HASHED_KEYS.includes(key)) {
    const digests = Array.isArray(value) ? value : [value];
    const allHashed = digests.length > 0 && digests.every(isDigest);
    return allHashed ? null : "is not a lower-case SHA-256 digest";
  }
  if (typeof value !== "string" || value.trim() === "") return "is empty";
  if (key === "client_ip_address" && publicClientIp(value) === null) return "is not a public address";
  if (key === "fbc" && !isBrowserId(key, value)) return "is not fb.<digit>.<milliseconds>.<click id>";
  if (key === "fbp" && !isBrowserId(key, value)) return "is not fb.<digit>.<milliseconds>.<digits>";
  return null;
}

function isDigest(value: unknown): boolean {
  return typeof value === "string" && LOWER_SHA256.test(value);
}
