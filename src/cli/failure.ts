import { isAway, isForbidden, isLocked, isOutdated, isTurnedAway } from "../db/fault.ts";
import { causesOf } from "../platform/errors.ts";
import { createScrubber, secretValues } from "../platform/scrub.ts";
import { SealBrokenError } from "../platform/secrets.ts";
import { SettingError } from "../platform/setting-error.ts";

/** An unexpected error in a line or two: what failed and what to do, without a stack trace and without a secret. */
export function failureText(
  error: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  if (error instanceof SealBrokenError) return error.message;
  const text = reasonsOf(error).join(": ");
  const withoutSecrets = createScrubber(secretValues(environment));
  return `${withoutSecrets(text)}${error instanceof SettingError ? `\n${error.todo}` : hintFor(error)}`;
}

/** Outermost first; drizzle's "Failed query" alone says nothing that helps. */
function reasonsOf(error: unknown): string[] {
  const reasons = causesOf(error).map(({ message }) => message);
  if (reasons.length === 0) return [String(error)];
  const helpful = reasons.filter((reason) => !reason.startsWith("Failed query"));
  return helpful.length > 0 ? helpful : reasons;
}

function hintFor(error: unknown): string {
  if (isOutdated(error)) return "\nThe database is not up to date. Run: bun run ponte migrate";
  if (isLocked(error)) {
    return "\nAnother program is writing to it, a backup perhaps. Wait for it or end it, then try again.";
  }
  if (isForbidden(error)) return "\nA right is missing. See which: bun run ponte doctor";
  if (isAway(error) || isTurnedAway(error)) {
    return "\nThe database cannot be reached. Check DATABASE_URL, then: bun run ponte doctor";
  }
  return "";
}
