import {
  isAway,
  isForbidden,
  isLocked,
  isOutdated,
  isReadOnly,
  isTurnedAway,
  isUnsaidPooler,
} from "../db/fault.ts";
import { diskTodo } from "../platform/disk.ts";
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
  const todo = error instanceof SettingError ? error.todo : todoFor(error);
  return `${withoutSecrets(text)}${todo === null ? "" : `\n${todo}`}`;
}

/** Outermost first; drizzle's "Failed query" alone says nothing that helps. */
function reasonsOf(error: unknown): string[] {
  const reasons = causesOf(error).map(({ message }) => message);
  if (reasons.length === 0) return [String(error)];
  const helpful = reasons.filter((reason) => !reason.startsWith("Failed query"));
  return helpful.length > 0 ? helpful : reasons;
}

/** What to do about what the database or the system says; null where they say nothing that somebody's deed would mend. */
export function todoFor(error: unknown): string | null {
  if (isOutdated(error)) return "The database is not up to date. Run: bun run ponte migrate";
  if (isLocked(error)) {
    return "Another program is writing to it, a backup perhaps. Wait for it or end it, then try again.";
  }
  if (isForbidden(error)) return "A right is missing. See which: bun run ponte doctor";
  if (isReadOnly(error)) {
    return "The database can only be read: it is a replica, or its files are read-only. Let DATABASE_URL name one that can be written.";
  }
  if (isUnsaidPooler(error)) {
    return "A pooler is at DATABASE_URL: set DATABASE_POOLER=transaction, and DATABASE_DIRECT_URL to lead past it.";
  }
  if (isAway(error) || isTurnedAway(error)) {
    return "The database cannot be reached. Check DATABASE_URL, then: bun run ponte doctor";
  }
  return diskTodo(error);
}
