import { causesOf, codeOf } from "../platform/errors.ts";
import { createScrubber, secretValues } from "../platform/scrub.ts";
import { SealBrokenError } from "../platform/secrets.ts";
import { SettingError } from "../platform/setting-error.ts";

/** An unexpected error in a line or two: what failed and what to do, without a stack trace and without a secret. */
export function failureText(
  error: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  if (error instanceof SealBrokenError) return error.message;
  const reasons = reasonsOf(error);
  const text = reasons.map(({ message }) => message).join(": ");
  const withoutSecrets = createScrubber(secretValues(environment));
  return `${withoutSecrets(text)}${error instanceof SettingError ? `\n${error.todo}` : hintFor(reasons)}`;
}

interface Reason {
  readonly message: string;
  readonly code: string;
}

/** Outermost first; drizzle's "Failed query" alone says nothing that helps. */
function reasonsOf(error: unknown): Reason[] {
  const reasons = causesOf(error).map((cause) => ({ message: cause.message, code: codeOf(cause) }));
  if (reasons.length === 0) return [{ message: String(error), code: "" }];
  const helpful = reasons.filter(({ message }) => !message.startsWith("Failed query"));
  return helpful.length > 0 ? helpful : reasons;
}

function hintFor(reasons: readonly Reason[]): string {
  const codes = reasons.map(({ code }) => code);
  const text = reasons.map(({ message }) => message).join("\n");
  // SQLSTATE 42P01 and 42703: undefined table, undefined column; 42501: insufficient privilege.
  if (codes.some((code) => code === "42P01" || code === "42703") || /no such (table|column)/.test(text)) {
    return "\nThe database is not up to date. Run: bun run ponte migrate";
  }
  if (codes.some((code) => code.startsWith("SQLITE_BUSY"))) {
    return "\nAnother program is writing to it, a backup perhaps. Wait for it or end it, then try again.";
  }
  if (codes.includes("42501")) return "\nA right is missing. See which: bun run ponte doctor";
  if (codes.some((code) => /^(ECONN|ENOTFOUND|CONNECT_|CONNECTION_|28|3D)/.test(code))) {
    return "\nThe database cannot be reached. Check DATABASE_URL, then: bun run ponte doctor";
  }
  return "";
}
