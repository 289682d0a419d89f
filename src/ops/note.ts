import type { Note } from "../../views/ops/facts.ts";
import { seeOther } from "./answer.ts";
import { cookieHeader } from "./auth/cookies.ts";
import { NOTE_COOKIE } from "./cookie-names.ts";

const LONGEST_NOTE = 300;
const KEPT_SECONDS = 60;

/**
 * After a change, with the operator that the guard gave: to the page at `location`, which then says what was done.
 * `warn` is for what did not become as it was meant. Where the form went to a part of its page, browsers stay at that
 * part, past the note: such a `location` ends with `#top`.
 */
export function doneAndSee(
  { secure }: { readonly secure: boolean },
  location: string,
  note: string,
  tone: Note["tone"] = "good",
): Response {
  const value = encodeURIComponent(`${tone}:${note.slice(0, LONGEST_NOTE)}`.toWellFormed());
  return seeOther(location, [
    cookieHeader({ name: NOTE_COOKIE, value, maxAgeSeconds: KEPT_SECONDS, secure }),
  ]);
}

/** Takes the note away once it was shown. */
export function noteShown(secure: boolean): string {
  return cookieHeader({ name: NOTE_COOKIE, value: "", maxAgeSeconds: 0, secure });
}

/** The note that the request brought; null where there is none that can be read. */
export function readNote(cookie: string | undefined): Note | null {
  if (!cookie) return null;
  try {
    const [, tone, text = ""] = /^(?:(good|warn):)?(.*)$/s.exec(decodeURIComponent(cookie)) ?? [];
    return { tone: tone === "warn" ? "warn" : "good", text: text.slice(0, LONGEST_NOTE) };
  } catch {
    return null;
  }
}
