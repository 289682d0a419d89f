import { isJsonObject, type JsonObject } from "./json.ts";
import { type EventProblem, META_SUBCODES, problem } from "./meta-subcodes.ts";
import { ipVerdict } from "./public-ip.ts";

/** How the value of a `user_data` key must look. */
type Form = "hashed" | "ip" | "fbc" | "fbp" | "plain";

/**
 * Every key Meta documents for `user_data`. Two rules are ours, so that a slip fails loudly: `external_id` must be hashed,
 * which Meta only recommends, and no key may be the digest of nothing, which Meta could match with nobody.
 */
const FORMS: ReadonlyMap<string, Form> = new Map<string, Form>([
  ["em", "hashed"],
  ["ph", "hashed"],
  ["fn", "hashed"],
  ["ln", "hashed"],
  ["db", "hashed"],
  ["ge", "hashed"],
  ["ct", "hashed"],
  ["st", "hashed"],
  ["zp", "hashed"],
  ["country", "hashed"],
  ["external_id", "hashed"],
  ["client_ip_address", "ip"],
  ["client_user_agent", "plain"],
  ["fbc", "fbc"],
  ["fbp", "fbp"],
  ["subscription_id", "plain"],
  ["fb_login_id", "plain"],
  ["lead_id", "plain"],
  ["madid", "plain"],
  ["anon_id", "plain"],
  ["page_id", "plain"],
  ["page_scoped_user_id", "plain"],
  ["ctwa_clid", "plain"],
  ["ig_account_id", "plain"],
  ["ig_sid", "plain"],
]);

/** Meta: an event whose keys are all within one of these sets is too broad to match anybody. */
const TOO_BROAD: readonly ReadonlySet<string>[] = [
  new Set(["ct", "country", "st", "zp", "ge", "client_user_agent"]),
  new Set(["db", "client_user_agent"]),
  new Set(["fn", "ge"]),
  new Set(["ln", "ge"]),
];

const SHA256_HEX = /^[0-9a-f]{64}$/;
/** Of the empty text: whoever sends it hashed a value that normalises to nothing. */
const DIGEST_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
// A fifth part of 2 or 8 characters is the param builder's appendix; neither a click id nor a random has a dot.
const FBC = /^fb\.\d\.\d{13}\.[^\s.]+(?:\.(?:[\w-]{2}|[\w-]{8}))?$/;
const FBP = /^fb\.\d\.\d{13}\.\d+(?:\.(?:[\w-]{2}|[\w-]{8}))?$/;

/** Checks one event's `user_data`: keys, forms, and that somebody can be matched with it. `null` = fine. */
export function userDataProblem(userData: unknown): EventProblem | null {
  if (!isJsonObject(userData)) {
    return problem(
      META_SUBCODES.insufficientUserData,
      "Missing Customer Information",
      "The event needs a user_data object.",
    );
  }
  for (const key in userData) {
    const found = keyProblem(key, userData[key]);
    if (found !== null) return found;
  }
  if (!isTooBroad(userData)) return null;
  return problem(
    META_SUBCODES.insufficientUserData,
    "This event has insufficient customer information",
    "The event has no customer information parameters, or a combination so broad that it is unlikely to match.",
  );
}

function isTooBroad(userData: JsonObject): boolean {
  return TOO_BROAD.some((broad) => {
    for (const key in userData) if (!broad.has(key)) return false;
    return true;
  });
}

function keyProblem(key: string, value: unknown): EventProblem | null {
  const form = FORMS.get(key);
  if (form === undefined) {
    return problem(
      META_SUBCODES.unexpectedKey,
      "Unexpected Parameter",
      `Unexpected key "${key}" in user_data.`,
    );
  }
  if (!Array.isArray(value)) return valueProblem(key, form, value);
  if (form !== "hashed") return badParameter(key, "must be one string, not an array");
  if (value.length === 0) return badParameter(key, "must not be an empty array");
  for (const one of value) {
    const found = valueProblem(key, form, one);
    if (found !== null) return found;
  }
  return null;
}

function valueProblem(key: string, form: Form, value: unknown): EventProblem | null {
  if (value === null || value === undefined) return badParameter(key, "must not be null");
  if (typeof value !== "string") return badParameter(key, "must be a string");
  if (value === "") return badParameter(key, "must not be empty");
  switch (form) {
    case "hashed":
      if (value === DIGEST_OF_NOTHING) return badParameter(key, "is the digest of nothing");
      return SHA256_HEX.test(value) ? null : notHashed(key);
    case "ip":
      return ipProblem(value);
    case "fbc":
      return FBC.test(value) ? null : badParameter(key, 'must be "fb.<n>.<milliseconds>.<fbclid>"');
    case "fbp":
      return FBP.test(value) ? null : badParameter(key, 'must be "fb.<n>.<milliseconds>.<digits>"');
    case "plain":
      return null;
  }
}

function ipProblem(address: string): EventProblem | null {
  switch (ipVerdict(address)) {
    case "public":
      return null;
    case "private":
      return badParameter("client_ip_address", "is a private, loopback or reserved address, not a visitor's");
    case "invalid":
      return badParameter("client_ip_address", "is not an IPv4 or IPv6 address");
  }
}

function notHashed(key: string): EventProblem {
  return problem(
    META_SUBCODES.notHashed,
    "User Parameter Not Hashed",
    `The ${key} parameter isn't hashed. Hash all user parameters as SHA-256 (64 lower-case hex digits), except for client IP address, client user agent, click ID and browser ID.`,
  );
}

function badParameter(key: string, detail: string): EventProblem {
  return problem(META_SUBCODES.badParameter, "Invalid Customer Information", `user_data.${key} ${detail}.`);
}
