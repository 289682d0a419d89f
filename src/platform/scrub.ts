import { unescape as decoded } from "node:querystring";
import { REDACTED } from "./redact-secret.ts";

/** Shorter values are words that stand in a line for other reasons. */
const SHORTEST_SECRET = 6;

/** Forms of secrets that Ponte handles, wherever they turn up: Telegram's and Meta's tokens, API keys, passwords in URLs. */
const FORMS: readonly (readonly [RegExp, string])[] = [
  // After "/bot" too, where no word ends.
  [/(?<!\d)\d{6,12}:[\w-]{30,}/g, REDACTED],
  [/\bEAA[A-Za-z0-9]{20,}/g, REDACTED],
  [/\bponte_[\w-]{43}(?![\w-])/g, REDACTED],
  [/(\bBearer +)[\w.~+/=-]+/gi, `$1${REDACTED}`],
  [/(:\/\/[^\s/:@"']*:)[^\s/@"']+@/g, `$1${REDACTED}@`],
];

const SECRET_NAME = /(^|_)(SECRET|SECRETS|PASSWORD|TOKEN|KEY)(_|$)/;

/** The secrets among environment variables, by their names; and those inside of URLs. */
export function secretValues(environment: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(environment).flatMap(([name, value = ""]) => {
    if (SECRET_NAME.test(name)) return [value];
    return name.endsWith("_URL") ? secretsInUrl(value) : [];
  });
}

/** Its password, as it stands there and decoded, and what its query names as a secret; also of one that is not well formed. */
function secretsInUrl(text: string): string[] {
  const url = URL.canParse(text) ? new URL(text) : null;
  const password = url ? url.password : (/:\/\/[^/@:]*:(.+)@/.exec(text)?.[1] ?? "");
  const asked = [...(url?.searchParams ?? [])].filter(([name]) => SECRET_NAME.test(name.toUpperCase()));
  const secrets = [password, decoded(password), ...asked.map(([, value]) => value)];
  return secrets.filter((secret) => secret !== "");
}

/**
 * Takes secrets out of a finished log line: the last line of defence, behind not logging them. `secrets` are known
 * values; what only the database knows is caught by its form.
 */
export function createScrubber(secrets: readonly string[]): (line: string) => string {
  const known = secrets
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  const values = [...new Set(known)].sort((a, b) => b.length - a.length);
  return (line) => {
    let clean = line;
    for (const value of values) clean = clean.replaceAll(value, REDACTED);
    for (const [form, replacement] of FORMS) clean = clean.replace(form, replacement);
    return clean;
  };
}
