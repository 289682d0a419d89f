import { storableText } from "../platform/storable-text.ts";
import type { Answer, Sent, Verdict } from "./destination.ts";

/** Longest text of the other side's that is kept, in characters: logs, pages and rows stay readable. */
const LONGEST_TEXT = 16_384;
/** What a column for whole numbers takes. */
const LARGEST_INTEGER = 2 ** 31 - 1;

/**
 * What came of a request, as every database takes it: the other side's words may hold what none can store, and a result
 * that cannot be written down means sending the same events again. Pure.
 */
export function storable({ verdict, answer }: Sent): Sent {
  return { verdict: storableVerdict(verdict), answer: answer && storableAnswer(answer) };
}

/** The text cut to what is kept, as both databases take it. */
export function keptText(text: string): string {
  return storableText(text.slice(0, LONGEST_TEXT));
}

function storableVerdict(verdict: Verdict): Verdict {
  return verdict.kind === "delivered"
    ? { ...verdict, note: verdict.note && keptText(verdict.note) }
    : { ...verdict, reason: keptText(verdict.reason) };
}

function storableAnswer(answer: Answer): Answer {
  return {
    ...answer,
    code: storableInteger(answer.code),
    subcode: storableInteger(answer.subcode),
    fbtraceId: answer.fbtraceId && keptText(answer.fbtraceId),
    response: keptText(answer.response),
  };
}

/** A number out of bounds is no code of Meta's or Telegram's; the response still shows it. */
function storableInteger(value: number | null): number | null {
  return value !== null && Math.abs(value) <= LARGEST_INTEGER ? value : null;
}
